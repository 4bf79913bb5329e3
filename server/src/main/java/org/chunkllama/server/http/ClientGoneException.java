package org.chunkllama.server.http;

/** The client closed, or read too slowly: there is nobody to answer. */
public final class ClientGoneException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  ClientGoneException(Throwable cause) {
    super("the client is gone", cause, false, false);
  }
}
