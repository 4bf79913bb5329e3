package org.chunkllama.prefix;

import org.jspecify.annotations.Nullable;

/**
 * Keeps a cached prefix from eviction until closed or expired. Holds whole computed chunks only: of
 * a prefix of 150 tokens in chunks of 64 that is cached, 128. Belongs to the thread that owns the
 * tree.
 */
public final class Pin implements AutoCloseable {
  private final PinTable table;
  private final int tokens;
  final long id;
  final boolean expires;
  final long expiryNanos;

  /** Deepest pinned node; null once closed or expired, or if nothing was cached. */
  @Nullable Node node;

  Pin(PinTable table, long id, @Nullable Node node, int tokens, boolean expires, long expiryNanos) {
    this.table = table;
    this.id = id;
    this.node = node;
    this.tokens = tokens;
    this.expires = expires;
    this.expiryNanos = expiryNanos;
  }

  /**
   * Tokens pinned when it was made: a multiple of the chunk size, at most the prefix, 0 if nothing
   * was cached.
   */
  public int tokens() {
    return tokens;
  }

  /**
   * Lets go; the chunks become evictable as most recently used. Closing again, or after expiry,
   * does nothing.
   */
  @Override
  public void close() {
    table.close(this);
  }
}
