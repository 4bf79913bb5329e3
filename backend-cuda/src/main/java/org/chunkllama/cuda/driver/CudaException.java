package org.chunkllama.cuda.driver;

import org.chunkllama.error.DeviceException;
import org.jspecify.annotations.Nullable;

/** A call of the driver, NVRTC or cuBLASLt failed; the message names the call and its status. */
public class CudaException extends DeviceException {
  private static final long serialVersionUID = 1L;

  public CudaException(String message) {
    super(message);
  }

  public CudaException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
