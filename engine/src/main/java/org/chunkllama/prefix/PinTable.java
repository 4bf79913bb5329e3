package org.chunkllama.prefix;

import java.util.HashSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** The open pins, and those that expire in order of time. */
final class PinTable {
  /**
   * Times to live beyond this (146 years) count as for ever, so that differences of nanoTime cannot
   * overflow.
   */
  private static final long TTL_NANOS_MAX = Long.MAX_VALUE / 2;

  private final ChunkStore store;
  private final LongSupplier nanoTime;
  private final Set<Pin> open = new HashSet<>();
  private final TreeSet<Pin> expiring = new TreeSet<>(PinTable::compareExpiry);
  private long ids;

  PinTable(ChunkStore store, LongSupplier nanoTime) {
    this.store = store;
    this.nanoTime = nanoTime;
  }

  /** Pins {@code deepest} and all nodes above it; nothing if it is a root. */
  Pin open(Node deepest, long ttlNanos, ChunkUsage usage) {
    if (ttlNanos < 0) {
      throw new IllegalArgumentException("time to live must not be negative: " + ttlNanos + " ns");
    }
    for (Node n = deepest; !n.isRoot(); n = n.parent) {
      store.pin(n, usage);
    }
    boolean expires = ttlNanos > 0 && ttlNanos <= TTL_NANOS_MAX;
    long expiry = expires ? nanoTime.getAsLong() + ttlNanos : 0;
    @Nullable Node held = deepest.isRoot() ? null : deepest;
    Pin pin = new Pin(this, ids++, held, (deepest.depth + 1) * store.chunkTokens, expires, expiry);
    if (held != null) {
      open.add(pin);
      if (expires) {
        expiring.add(pin);
      }
    }
    return pin;
  }

  void close(Pin pin) {
    Node node = pin.node;
    if (node == null) {
      return;
    }
    // deepest first: in the eviction list a child stands before its parent
    for (Node n = node; !n.isRoot(); n = n.parent) {
      store.unpin(n);
    }
    pin.node = null;
    open.remove(pin);
    if (pin.expires) {
      expiring.remove(pin);
    }
  }

  /** Closes all pins whose time is over. O(1) if there is none that expires. */
  void dropExpired() {
    if (expiring.isEmpty()) {
      return;
    }
    long now = nanoTime.getAsLong();
    while (!expiring.isEmpty() && expiring.first().expiryNanos - now <= 0) {
      close(expiring.first());
    }
  }

  Iterable<Pin> open() {
    return open;
  }

  private static int compareExpiry(Pin a, Pin b) {
    long difference = a.expiryNanos - b.expiryNanos;
    return difference != 0 ? Long.signum(difference) : Long.compare(a.id, b.id);
  }
}
