package org.chunkllama.server.http;

import io.helidon.http.DirectHandler;
import io.helidon.http.HeaderNames;
import io.helidon.http.ServerResponseHeaders;
import io.helidon.http.Status;

/**
 * Errors of the web server itself (no HTTP, too large, too many headers) as JSON like all others.
 */
public final class TransportErrors implements DirectHandler {
  @Override
  public TransportResponse handle(
      TransportRequest request,
      EventType type,
      Status status,
      ServerResponseHeaders headers,
      String message) {
    ApiException error =
        switch (status.code()) {
          case 413 ->
              ApiException.of(
                  ApiException.Kind.TOO_LARGE, null, "the body is larger than this server takes");
          case 500 -> ApiException.of(ApiException.Kind.INTERNAL, null, "internal error");
          case 503 ->
              ApiException.of(ApiException.Kind.UNAVAILABLE, null, "too many requests at once");
          case 505 ->
              ApiException.badRequest(
                  "this server speaks HTTP/1.1; send the request in that", null);
          default -> ApiException.badRequest("this is no HTTP request that can be read", null);
        };
    headers.set(HeaderNames.CONTENT_TYPE, "application/json");
    return TransportResponse.builder()
        .status(status)
        .headers(headers)
        .keepAlive(false)
        .entity(Json.bytes(ErrorFormat.OPENAI.body(error)))
        .build();
  }
}
