package org.chunkllama.server;

import java.time.Duration;
import org.chunkllama.error.InvalidRequestException;

/**
 * What the server takes from clients.
 *
 * @param connections most open connections; more are answered with 503 and closed
 * @param bodyBytes longest body of a request
 * @param headerBytes longest head of a request
 * @param promptTokens longest prompt; 0 = as long as the context
 * @param requestTime longest time from a request's first byte to its last
 * @param writeTime longest time for a client to take a part of its answer
 * @param idleTime how long a connection may stay open between two requests
 */
public record Limits(
    int connections,
    long bodyBytes,
    int headerBytes,
    int promptTokens,
    Duration requestTime,
    Duration writeTime,
    Duration idleTime) {
  private static final Limits DEFAULTS =
      new Limits(
          2048,
          16 << 20,
          32 << 10,
          0,
          Duration.ofSeconds(30),
          Duration.ofSeconds(30),
          Duration.ofMinutes(5));

  public Limits {
    require(connections >= 1, "maxConnections must be 1 or more, not " + connections);
    require(bodyBytes >= 1024, "maxBody must be 1k or more, not " + bodyBytes);
    require(headerBytes >= 1024, "maxHeader must be 1k or more, not " + headerBytes);
    require(promptTokens >= 0, "maxPromptTokens must be 0 or more, not " + promptTokens);
    require(requestTime.isPositive(), "requestTimeout must be above 0");
    require(writeTime.isPositive(), "writeTimeout must be above 0");
    require(idleTime.isPositive(), "idleTimeout must be above 0");
  }

  private static void require(boolean holds, String message) {
    if (!holds) {
      throw new InvalidRequestException(message);
    }
  }

  public static Limits defaults() {
    return DEFAULTS;
  }
}
