package org.chunkllama.error;

import org.jspecify.annotations.Nullable;

/** A device (a GPU) failed, is not usable, or has not enough memory. */
public non-sealed class DeviceException extends ChunkLlamaException {
  private static final long serialVersionUID = 1L;

  public DeviceException(String message) {
    super(message, null);
  }

  public DeviceException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
