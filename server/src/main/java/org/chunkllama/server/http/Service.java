package org.chunkllama.server.http;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/** Whether requests are taken, and how many are being answered. */
public final class Service {
  private final AtomicInteger open = new AtomicInteger();
  private volatile boolean draining;

  /** True if a request may begin; then {@link #leave} must follow. */
  boolean enter() {
    open.incrementAndGet();
    if (draining) {
      leave();
      return false;
    }
    return true;
  }

  void leave() {
    open.decrementAndGet();
  }

  /** Requests being answered. */
  public int open() {
    return open.get();
  }

  /** Takes no more requests. */
  public void drain() {
    draining = true;
  }

  public boolean isDraining() {
    return draining;
  }

  /** Waits until all requests are answered; false if {@code limit} passed first. */
  public boolean awaitEmpty(Duration limit) throws InterruptedException {
    long deadline = System.nanoTime() + limit.toNanos();
    while (open.get() > 0) {
      if (System.nanoTime() - deadline >= 0) {
        return false;
      }
      Thread.sleep(10);
    }
    return true;
  }
}
