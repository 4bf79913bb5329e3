package org.chunkllama.guide;

import java.util.LinkedHashMap;
import java.util.Map;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.text.Tokenizer;
import org.jspecify.annotations.Nullable;

/**
 * Makes guides ready for one tokenizer's vocabulary, and keeps the last ones: equal guides are one,
 * with all that was found out about it. Thread-safe.
 */
public final class GuideCompiler {
  private static final int KEPT = 32;

  private final Tokenizer tokenizer;
  private @Nullable TokenTrie trie; // made when first needed

  private final Map<Guide, CompiledGuide> kept =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Guide, CompiledGuide> eldest) {
          return size() > KEPT;
        }
      };

  public GuideCompiler(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /**
   * Makes a guide ready.
   *
   * @throws InvalidRequestException if it is not understood, naming what
   */
  public CompiledGuide compile(Guide guide) {
    synchronized (kept) {
      CompiledGuide known = kept.get(guide);
      if (known != null) {
        return known;
      }
    }
    Nfa nfa = new Nfa();
    int whole = nfa.newRule();
    nfa.skip(new GuideWriter(nfa).write(guide, nfa.start(whole)), nfa.end(whole));
    Automaton automaton = new Automaton(nfa);
    synchronized (kept) {
      if (trie == null) {
        trie = new TokenTrie(tokenizer);
      }
      CompiledGuide fresh = new CompiledGuide(trie, automaton);
      @Nullable CompiledGuide other = kept.putIfAbsent(guide, fresh);
      return other == null ? fresh : other;
    }
  }
}
