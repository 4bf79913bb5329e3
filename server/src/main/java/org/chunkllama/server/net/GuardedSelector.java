package org.chunkllama.server.net;

import io.helidon.common.buffers.BufferData;
import io.helidon.common.concurrency.limits.Limit;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.spi.ServerConnection;
import io.helidon.webserver.spi.ServerConnectionSelector;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Semaphore;

/** Puts every connection of another selector under a guard's watch, or refuses it. */
public final class GuardedSelector implements ServerConnectionSelector {
  private static final byte[] FULL =
      ConnectionGuard.raw("503 Service Unavailable", "too many connections; try again later");

  private final ServerConnectionSelector inner;
  private final ConnectionGuard guard;

  public GuardedSelector(ServerConnectionSelector inner, ConnectionGuard guard) {
    this.inner = inner;
    this.guard = guard;
  }

  @Override
  public int bytesToIdentifyConnection() {
    return inner.bytesToIdentifyConnection();
  }

  @Override
  public Support supports(BufferData data) {
    return inner.supports(data);
  }

  @Override
  public Set<String> supportedApplicationProtocols() {
    return inner.supportedApplicationProtocols();
  }

  @Override
  public ServerConnection connection(ConnectionContext context) {
    Optional<ClientConnection> entered = guard.enter(context);
    if (entered.isEmpty()) {
      return new Refused(context);
    }
    ClientConnection client = entered.get();
    return new Guarded(inner.connection(client), client, guard);
  }

  /** A connection that is handled. */
  private record Guarded(ServerConnection inner, ClientConnection client, ConnectionGuard guard)
      implements ServerConnection {
    @Override
    public void handle(Limit limit) throws InterruptedException {
      client.handled();
      try {
        ClientConnection.as(client)
            .call(() -> {
              inner.handle(limit);
              return true;
            });
      } finally {
        guard.leave(client);
      }
    }

    @Override
    @Deprecated
    @SuppressWarnings("removal")
    public void handle(Semaphore requests) throws InterruptedException {
      throw new UnsupportedOperationException("connections are handled under a Limit");
    }

    @Override
    public Duration idleTime() {
      return inner.idleTime();
    }

    @Override
    public void close(boolean interrupt) {
      inner.close(interrupt);
    }
  }

  /** A connection too many: told so and closed. */
  private record Refused(ConnectionContext context) implements ServerConnection {
    @Override
    public void handle(Limit limit) {
      context.dataWriter().writeNow(BufferData.create(FULL));
    }

    @Override
    @Deprecated
    @SuppressWarnings("removal")
    public void handle(Semaphore requests) {
      throw new UnsupportedOperationException("connections are handled under a Limit");
    }

    @Override
    public Duration idleTime() {
      return Duration.ZERO;
    }

    @Override
    public void close(boolean interrupt) {}
  }
}
