package org.chunkllama.error;

import org.jspecify.annotations.Nullable;

/** A sound file that holds a model or type that is not supported. */
public final class UnsupportedModelException extends ChunkLlamaException {
  private static final long serialVersionUID = 1L;

  public UnsupportedModelException(String message) {
    super(message, null);
  }

  public UnsupportedModelException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
