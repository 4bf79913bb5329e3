package org.chunkllama.cpu;

/** A call of oneDNN failed; the message names the call and its status. */
final class OneDnnException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  OneDnnException(String message) {
    super(message);
  }
}
