package org.chunkllama.server.generate;

import org.chunkllama.Llm;
import org.chunkllama.Prompt;
import org.chunkllama.error.ContextLengthException;

/** How long prompts may be, below what the model itself takes. */
public final class PromptLimit {
  private final Llm llm;
  private final int tokens;

  /** {@code tokens}: 0 = as many as the model takes. */
  public PromptLimit(Llm llm, int tokens) {
    this.llm = llm;
    this.tokens = tokens;
  }

  /**
   * Checks a prompt before anything is computed for it.
   *
   * @throws ContextLengthException if it is too long
   */
  public void check(Prompt prompt) {
    if (tokens == 0) {
      return;
    }
    int length = llm.encode(prompt).length;
    if (length > tokens) {
      throw new ContextLengthException(
          "the prompt has %d tokens, this server takes %d; shorten it".formatted(length, tokens));
    }
  }
}
