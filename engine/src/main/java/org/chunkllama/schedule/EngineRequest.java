package org.chunkllama.schedule;

import java.util.List;
import org.chunkllama.guide.CompiledGuide;
import org.chunkllama.sample.GenerationOptions;
import org.chunkllama.sample.LogitsProcessor;
import org.jspecify.annotations.Nullable;

/**
 * A request as the engine takes it.
 *
 * @param prompt token ids, 1 or more; not changed afterwards
 * @param options what to generate
 * @param salt requests of different salts share nothing
 * @param continuesText the output goes on in the middle of a text, so its first space counts
 * @param processors change logits before each draw; usually none
 * @param guide what {@link GenerationOptions#guide} became for the vocabulary; null if there is
 *     none
 * @param terms tenant, priority, deadline
 * @param listener told what becomes of it
 */
public record EngineRequest(
    int[] prompt,
    GenerationOptions options,
    String salt,
    boolean continuesText,
    List<LogitsProcessor> processors,
    @Nullable CompiledGuide guide,
    Terms terms,
    RequestListener listener) {
  /** Nothing but the necessary. */
  public EngineRequest(
      int[] prompt,
      GenerationOptions options,
      String salt,
      boolean continuesText,
      RequestListener listener) {
    this(prompt, options, salt, continuesText, List.of(), null, Terms.NONE, listener);
  }

  public EngineRequest withProcessors(List<LogitsProcessor> processors) {
    return new EngineRequest(
        prompt, options, salt, continuesText, processors, guide, terms, listener);
  }

  public EngineRequest withGuide(@Nullable CompiledGuide guide) {
    return new EngineRequest(
        prompt, options, salt, continuesText, processors, guide, terms, listener);
  }

  public EngineRequest withTerms(Terms terms) {
    return new EngineRequest(
        prompt, options, salt, continuesText, processors, guide, terms, listener);
  }
}
