package org.chunkllama.error;

import org.jspecify.annotations.Nullable;

/** A request's options contradict each other or are out of range. */
public final class InvalidRequestException extends ChunkLlamaException {
  private static final long serialVersionUID = 1L;

  public InvalidRequestException(String message) {
    super(message, null);
  }

  public InvalidRequestException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
