package org.chunkllama.server.net;

import io.helidon.webserver.ConnectionContext;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;

/**
 * Counts connections and closes those whose client is too slow: a request that does not come to its
 * end in time, an answer that is not read. A closed connection fails its handler's next write, and
 * so ends its generation.
 */
public final class ConnectionGuard implements AutoCloseable {
  private static final long TICK_NANOS = Duration.ofMillis(100).toNanos();

  /** For the words before a connection is closed, and for requests to come while draining. */
  private static final long PATIENCE_NANOS = Duration.ofMillis(500).toNanos();

  private static final byte[] STOPPING = raw("503 Service Unavailable", "the server is stopping");
  private static final byte[] LATE =
      raw("408 Request Timeout", "the request did not arrive in time; send it faster");

  private final int limit;
  private final long requestNanos;
  private final long writeNanos;
  private final Set<ClientConnection> connections = ConcurrentHashMap.newKeySet();
  private final Thread thread;
  private volatile boolean draining;
  private volatile boolean closed;

  /**
   * Starts the guard.
   *
   * @param limit most connections
   * @param request longest time from a request's first byte to its last
   * @param write longest time for a client to take a part of an answer
   */
  public ConnectionGuard(int limit, Duration request, Duration write) {
    this.limit = limit;
    this.requestNanos = request.toNanos();
    this.writeNanos = write.toNanos();
    this.thread = Thread.ofPlatform().daemon(true).name("chunkllama-connections").start(this::run);
  }

  /** Open connections. */
  public int connections() {
    return connections.size();
  }

  /** Takes a connection; empty if there are too many. */
  Optional<ClientConnection> enter(ConnectionContext context) {
    if (connections.size() >= limit) {
      return Optional.empty();
    }
    ClientConnection connection = new ClientConnection(context);
    connections.add(connection);
    return Optional.of(connection);
  }

  void leave(ClientConnection connection) {
    connections.remove(connection);
  }

  /** Closes connections whose request is not all here, and soon those where one begins to come. */
  public void drain() {
    draining = true;
  }

  /** Closes all connections now, whatever they do. */
  public void cutAll() {
    connections.forEach(ClientConnection::cut);
  }

  /** Never waits for a client: one thread watches all of them. What does is done elsewhere. */
  private void run() {
    while (!closed) {
      long now = System.nanoTime();
      for (ClientConnection connection : connections) {
        if (connection.isWriteStuck(now, writeNanos)) {
          connection.cut();
        } else if (connection.isRequestLate(now, requestNanos)) {
          connection.close(LATE, now, PATIENCE_NANOS);
        } else if (draining && connection.isRequestLate(now, PATIENCE_NANOS)) {
          connection.close(STOPPING, now, PATIENCE_NANOS);
        }
      }
      LockSupport.parkNanos(this, TICK_NANOS);
    }
  }

  /** A whole answer for a client with whom the web server does not speak. */
  static byte[] raw(String status, String message) {
    String body =
        "{\"error\":{\"message\":\"%s\",\"type\":\"invalid_request_error\",\"param\":null,\"code\":null}}"
            .formatted(message);
    return """
    HTTP/1.1 %s\r
    Content-Type: application/json\r
    Content-Length: %d\r
    Retry-After: 1\r
    Connection: close\r
    \r
    %s\
    """
        .formatted(status, body.length(), body)
        .getBytes(StandardCharsets.US_ASCII);
  }

  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
  }
}
