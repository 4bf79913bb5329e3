package org.chunkllama.error;

import org.jspecify.annotations.Nullable;

/** A model file is broken: truncated, lying about sizes, or missing a part. */
public final class ModelFileException extends ChunkLlamaException {
  private static final long serialVersionUID = 1L;

  public ModelFileException(String message) {
    super(message, null);
  }

  public ModelFileException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
