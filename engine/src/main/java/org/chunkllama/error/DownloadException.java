package org.chunkllama.error;

import org.jspecify.annotations.Nullable;

/** A model could not be fetched from any of its sources. */
public final class DownloadException extends ChunkLlamaException {
  private static final long serialVersionUID = 1L;

  public DownloadException(String message) {
    super(message, null);
  }

  public DownloadException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
