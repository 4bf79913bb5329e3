package org.chunkllama.cuda.driver;

/** The GPU has not the memory that was asked for; the message says for what, and what to change. */
public final class OutOfDeviceMemoryException extends CudaException {
  private static final long serialVersionUID = 1L;

  public OutOfDeviceMemoryException(String message) {
    super(message);
  }
}
