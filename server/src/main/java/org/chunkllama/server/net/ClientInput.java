package org.chunkllama.server.net;

import io.helidon.common.socket.HelidonSocket;
import java.io.UncheckedIOException;
import java.net.SocketTimeoutException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a client sends. While a request is being answered nobody reads, and a client that closes
 * would go unnoticed: then a watcher reads ahead. Bytes that it finds are the next request's and
 * are kept for it.
 */
final class ClientInput implements Supplier<byte @Nullable []> {
  private final HelidonSocket socket;
  private final Executor executor;
  private byte @Nullable [] first;
  private @Nullable CompletableFuture<Optional<byte[]>> ahead;
  private volatile @Nullable Runnable whenGone;
  private volatile long requestSince;

  /** What was read, or that the client closed: futures know no null. */
  private record Optional<T>(@Nullable T value) {}

  /**
   * An input.
   *
   * @param first bytes that were read before
   */
  ClientInput(byte[] first, HelidonSocket socket, Executor executor) {
    this.first = first.length == 0 ? null : first;
    this.socket = socket;
    this.executor = executor;
    this.requestSince = now();
  }

  private static long now() {
    return System.nanoTime() | 1; // 0 means none
  }

  /** The next bytes; null once the client closed. */
  @Override
  public byte @Nullable [] get() {
    byte[] bytes = next();
    if (bytes != null && requestSince == 0) {
      requestSince = now();
    }
    return bytes;
  }

  private byte @Nullable [] next() {
    byte[] seen = first;
    if (seen != null) {
      first = null;
      return seen;
    }
    CompletableFuture<Optional<byte[]>> pending = ahead;
    if (pending == null) {
      return read();
    }
    ahead = null;
    try {
      return pending.get().value();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return null;
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  private byte @Nullable [] read() {
    while (true) {
      try {
        return socket.get();
      } catch (UncheckedIOException e) {
        // A timeout ends a silent wait for the first request only; later the guard decides.
        if (!(e.getCause() instanceof SocketTimeoutException) || Thread.interrupted()) {
          return null;
        }
      }
    }
  }

  void requestRead() {
    requestSince = 0;
  }

  boolean isRequestLate(long now, long nanos) {
    long since = requestSince;
    return since != 0 && now - since > nanos;
  }

  void watch(Runnable action) {
    whenGone = action;
    if (first != null || ahead != null) {
      return; // the next request is here already: its client is not gone
    }
    CompletableFuture<Optional<byte[]>> read = new CompletableFuture<>();
    ahead = read;
    executor.execute(() -> readAhead(read));
  }

  private void readAhead(CompletableFuture<Optional<byte[]>> read) {
    byte[] bytes = null;
    try {
      bytes = read();
    } finally {
      read.complete(new Optional<>(bytes));
      Runnable action = whenGone;
      if (bytes == null && action != null) {
        action.run();
      }
    }
  }

  void unwatch() {
    whenGone = null;
  }
}
