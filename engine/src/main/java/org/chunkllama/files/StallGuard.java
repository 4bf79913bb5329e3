package org.chunkllama.files;

import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;

/** Closes a stream that has been silent for too long: Java's HTTP client waits for ever. */
final class StallGuard implements AutoCloseable {
  private final Closeable stream;
  private final long limitNanos;
  private final Thread watcher;
  private volatile long lastNanos = System.nanoTime();

  StallGuard(Closeable stream, Duration limit) {
    this.stream = stream;
    this.limitNanos = limit.toNanos();
    this.watcher = Thread.ofVirtual().name("stall-guard").start(this::watch);
  }

  /** A byte came. */
  void progressed() {
    lastNanos = System.nanoTime();
  }

  private void watch() {
    try {
      long left = limitNanos;
      while (left > 0) {
        Thread.sleep(Duration.ofNanos(left));
        left = limitNanos - (System.nanoTime() - lastNanos);
      }
      stream.close(); // the reader gets an IOException
    } catch (InterruptedException _) {
      // The transfer is over.
    } catch (IOException _) {
      // Closing is all that was wanted.
    }
  }

  @Override
  public void close() {
    watcher.interrupt();
  }
}
