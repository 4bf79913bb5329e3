package org.chunkllama;

import java.util.List;
import org.chunkllama.sample.FinishReason;

/**
 * What came of a request.
 *
 * @param completions n of them
 * @param promptTokenIds the prompt as the model saw it
 * @param cachedTokens prompt tokens whose KV was already there or came from another request
 * @param ttftNanos from submission to the first token
 * @param nanos from submission to the end
 */
public record GenerationResult(
    List<Completion> completions,
    int[] promptTokenIds,
    int cachedTokens,
    long ttftNanos,
    long nanos) {
  public GenerationResult {
    completions = List.copyOf(completions);
  }

  /** Text of the first completion. */
  public String text() {
    return completions.getFirst().text();
  }

  /** Ids of the first completion. */
  public int[] tokenIds() {
    return completions.getFirst().tokenIds();
  }

  /** Why the first completion ended. */
  public FinishReason finishReason() {
    return completions.getFirst().finishReason();
  }

  /** Tokens of all completions. */
  public int generatedTokens() {
    return completions.stream().mapToInt(c -> c.tokenIds().length).sum();
  }
}
