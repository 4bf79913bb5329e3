package org.chunkllama.server.net;

import io.helidon.common.socket.HelidonSocket;
import java.io.UncheckedIOException;
import java.net.SocketTimeoutException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a client sends. While a request is being answered nobody reads, and a client that closes
 * would go unnoticed: then a watcher reads ahead. Bytes that it finds are the next requests' and
 * are kept for them, up to {@link #MOST_AHEAD}.
 */
final class ClientInput implements Supplier<byte @Nullable []> {
  /** Bytes after which nothing more is read ahead. */
  static final int MOST_AHEAD = 32 << 10;

  private final HelidonSocket socket;
  private final Executor executor;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Deque<byte[]> ahead = new ArrayDeque<>();
  private int bytesAhead;
  private boolean reading; // the watcher; whoever reads, nobody else does
  private boolean ended;
  private @Nullable Runnable whenGone;
  private volatile long requestSince;

  /**
   * An input.
   *
   * @param first bytes that were read before
   */
  ClientInput(byte[] first, HelidonSocket socket, Executor executor) {
    if (first.length > 0) {
      ahead.add(first);
      bytesAhead = first.length;
    }
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
    lock.lock();
    try {
      while (ahead.isEmpty() && reading) {
        changed.await();
      }
      byte[] bytes = ahead.poll();
      if (bytes != null) {
        bytesAhead -= bytes.length;
        return bytes;
      }
      if (ended) {
        return null;
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return null;
    } finally {
      lock.unlock();
    }
    return read();
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

  /** Runs {@code action} once the client closes, until {@link #unwatch}. */
  void watch(Runnable action) {
    lock.lock();
    try {
      if (!ended) {
        whenGone = action;
        if (!reading && bytesAhead < MOST_AHEAD) {
          reading = true;
          executor.execute(this::readAhead);
        }
        return;
      }
    } finally {
      lock.unlock();
    }
    action.run();
  }

  private void readAhead() {
    boolean more = true;
    while (more) {
      byte[] bytes = null;
      try {
        bytes = read();
      } finally {
        more = arrived(bytes);
      }
    }
  }

  /** Keeps what was read; true if the watcher is to go on. */
  private boolean arrived(byte @Nullable [] bytes) {
    Runnable gone = null;
    lock.lock();
    try {
      if (bytes == null) {
        ended = true;
        gone = whenGone;
      } else {
        ahead.add(bytes);
        bytesAhead += bytes.length;
      }
      reading = !ended && whenGone != null && bytesAhead < MOST_AHEAD;
      changed.signalAll();
      if (gone == null) {
        return reading;
      }
    } finally {
      lock.unlock();
    }
    gone.run();
    return false;
  }

  void unwatch() {
    lock.lock();
    try {
      whenGone = null;
    } finally {
      lock.unlock();
    }
  }
}
