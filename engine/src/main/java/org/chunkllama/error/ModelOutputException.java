package org.chunkllama.error;

/** What the model computed is no number that a token can be drawn from. */
public final class ModelOutputException extends ChunkLlamaException {
  private static final long serialVersionUID = 1L;

  public ModelOutputException(String message) {
    super(message, null);
  }
}
