package org.chunkllama.guide;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.guide.Automaton.State;
import org.jspecify.annotations.Nullable;

/**
 * A guide made ready for one vocabulary. Made on any thread, used on one: the engine's.
 *
 * <p><b>Cost.</b> Which tokens may follow is found by walking the vocabulary's trie, as deep as the
 * automaton goes along, once per state of the automaton; later askers get what was found. So the
 * first visit of a state costs at most the trie's nodes, others nothing.
 */
public final class CompiledGuide {
  /** Memory for what was found; beyond it all is forgotten. */
  private static final long MOST_MEMORY = 32L << 20;

  /** Most states that one walk may make. */
  private static final int MOST_NEW_STATES = 50_000;

  private final TokenTrie trie;
  private final Automaton automaton;
  private final int[] found; // [vocabulary]
  private final State[] path; // [depth]
  private @Nullable State start;
  private @Nullable TokenSet allowedFirst;
  private long memory;
  private long masks;
  private long maskNanos;
  private long maskNanosMax;

  CompiledGuide(TokenTrie trie, Automaton automaton) {
    this.trie = trie;
    this.automaton = automaton;
    this.found = new int[trie.tokens.length];
    this.path = new State[trie.depthMax + 1];
  }

  TokenTrie trie() {
    return trie;
  }

  State start() {
    State known = start;
    if (known == null) {
      known = automaton.start();
      start = known;
    }
    return known;
  }

  State next(State state, byte[] bytes, int from) {
    State at = state;
    for (int i = from; i < bytes.length; i++) {
      at = automaton.next(at, bytes[i]);
    }
    return at;
  }

  /** Tokens that may follow in a state. */
  TokenSet allowed(State state) {
    TokenSet known = state.allowed;
    if (known == null) {
      known = walk(state, 0, trie.nodes(), 0);
      if (memory > MOST_MEMORY) {
        automaton.forget();
        start = null;
        memory = 0;
      }
      memory += known.memory();
      state.allowed = known;
    }
    return known;
  }

  /** Tokens that may come first where a space that they begin with is not part of the text. */
  TokenSet allowedFirst() {
    TokenSet known = allowedFirst;
    if (known == null) {
      int space = trie.child((byte) ' ');
      known = space < 0 ? allowed(start()) : aroundSpace(space);
      allowedFirst = known;
    }
    return known;
  }

  /** What begins with the space goes on from the start behind it; all else as ever. */
  private TokenSet aroundSpace(int space) {
    List<TokenSet> parts =
        List.of(
            walk(start(), 0, space, 0),
            walk(start(), space + 1, trie.end[space], 1),
            walk(start(), trie.end[space], trie.nodes(), 0));
    int[] all =
        IntStream.range(0, trie.vocabulary)
            .filter(id -> parts.stream().anyMatch(part -> part.contains(id)))
            .toArray();
    return new TokenSet(all, all.length, trie.vocabulary);
  }

  /** Walks the nodes {@code [from, to)}, whose parent is {@code depth} bytes deep. */
  private TokenSet walk(State state, int from, int to, int depth) {
    long begun = System.nanoTime();
    long madeBefore = automaton.made();
    int count = 0;
    path[depth] = state;
    int node = from;
    while (node < to) {
      int at = trie.depth[node];
      State next = automaton.next(path[at - 1], trie.label[node]);
      if (next.isDead()) {
        node = trie.end[node];
        continue;
      }
      path[at] = next;
      for (int t = trie.firstToken[node]; t < trie.firstToken[node + 1]; t++) {
        found[count++] = trie.tokens[t];
      }
      node++;
      if (automaton.made() - madeBefore > MOST_NEW_STATES) {
        throw new InvalidRequestException(
            "the guide is too ambiguous; give its alternatives different beginnings");
      }
    }
    Arrays.fill(path, null);
    count(System.nanoTime() - begun);
    return new TokenSet(found, count, trie.vocabulary);
  }

  private void count(long nanos) {
    masks++;
    maskNanos += nanos;
    maskNanosMax = Math.max(maskNanosMax, nanos);
  }

  /** Walks of the trie so far. */
  public long masks() {
    return masks;
  }

  /** Time of all walks. */
  public long maskNanos() {
    return maskNanos;
  }

  /** Time of the longest walk. */
  public long maskNanosMax() {
    return maskNanosMax;
  }
}
