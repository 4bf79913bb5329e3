package org.chunkllama.error;

/** No new requests are taken, and what did not end in time is given up. */
public final class ShuttingDownException extends ChunkLlamaException {
  private static final long serialVersionUID = 1L;

  public ShuttingDownException(String message) {
    super(message, null);
  }
}
