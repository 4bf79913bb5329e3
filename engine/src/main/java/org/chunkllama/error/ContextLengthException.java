package org.chunkllama.error;

import org.jspecify.annotations.Nullable;

/** Prompt and output do not fit the model's context. */
public final class ContextLengthException extends ChunkLlamaException {
  private static final long serialVersionUID = 1L;

  public ContextLengthException(String message) {
    super(message, null);
  }

  public ContextLengthException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
