package org.chunkllama.error;

/** As many requests wait as may wait: try again later. */
public final class QueueFullException extends ChunkLlamaException {
  private static final long serialVersionUID = 1L;

  public QueueFullException(String message) {
    super(message, null);
  }
}
