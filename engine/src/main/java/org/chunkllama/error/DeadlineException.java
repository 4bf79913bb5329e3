package org.chunkllama.error;

/** A request's own deadline passed before it ended. */
public final class DeadlineException extends ChunkLlamaException {
  private static final long serialVersionUID = 1L;

  public DeadlineException(String message) {
    super(message, null);
  }
}
