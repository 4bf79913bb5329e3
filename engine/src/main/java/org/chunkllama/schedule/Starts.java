package org.chunkllama.schedule;

import java.util.stream.IntStream;
import org.chunkllama.guide.CompiledGuide;
import org.chunkllama.guide.GuideMatcher;
import org.chunkllama.sample.GenerationOptions;
import org.chunkllama.text.IncrementalDetokenizer;
import org.chunkllama.text.Tokenizer;
import org.jspecify.annotations.Nullable;

/** Makes the continuations of a new request. */
final class Starts {
  private final Tokenizer tokenizer;
  private final EngineLimits limits;
  private final int vocabulary;

  Starts(Tokenizer tokenizer, EngineLimits limits, int vocabulary) {
    this.tokenizer = tokenizer;
    this.limits = limits;
    this.vocabulary = vocabulary;
  }

  /** Adds the completions or beams that {@code group} asks for, before their first token. */
  void addTo(Group group) {
    EngineRequest request = group.request;
    GenerationOptions options = request.options();
    long room = Math.min(limits.context(), group.account().tokensMax()) - request.prompt().length;
    int maxTokens = Math.clamp(room, 1, options.maxTokens());
    int[] endIds = endIds(options);
    if (options.isBeamSearch()) {
      group.continuations.add(new Beams(group, maxTokens, endIds, () -> detokenizer(request)));
    } else {
      for (int i = 0; i < options.branches(); i++) {
        group.continuations.add(
            new Branch(
                group, i, maxTokens, endIds, detokenizer(request), matcher(request, endIds)));
      }
    }
  }

  private int[] endIds(GenerationOptions options) {
    IntStream eos =
        options.ignoreEos()
            ? IntStream.empty()
            : tokenizer.eosIds().stream().mapToInt(Integer::intValue);
    IntStream stops = options.stopIds().stream().mapToInt(Integer::intValue);
    return IntStream.concat(eos, stops)
        .filter(id -> id >= 0 && id < vocabulary)
        .sorted()
        .distinct()
        .toArray();
  }

  private @Nullable GuideMatcher matcher(EngineRequest request, int[] endIds) {
    boolean skipsSpace = tokenizer.addsSpacePrefix() && !request.continuesText();
    @Nullable CompiledGuide guide = request.guide();
    return guide == null ? null : new GuideMatcher(guide, endIds, skipsSpace);
  }

  private IncrementalDetokenizer detokenizer(EngineRequest request) {
    return request.continuesText()
        ? IncrementalDetokenizer.continuing(tokenizer)
        : new IncrementalDetokenizer(tokenizer);
  }
}
