package org.chunkllama.server.http;

/** Answers the requests to one method and path. */
@FunctionalInterface
public interface Endpoint {
  /**
   * Answers one request.
   *
   * @throws ApiException to answer with an error
   */
  void handle(Exchange exchange);
}
