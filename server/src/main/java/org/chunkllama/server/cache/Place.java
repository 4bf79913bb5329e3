package org.chunkllama.server.cache;

import java.nio.IntBuffer;
import java.time.Duration;
import org.chunkllama.Prefix;
import org.jspecify.annotations.Nullable;

/** Where a prefix is kept, or will be; pinned again it stays the same. Guarded by its owner. */
final class Place {
  /** What is kept: the same tokens of one salt, which is of one tenant. */
  record Key(String salt, IntBuffer tokens) {}

  final long id;
  final String tenant;
  final int tokens; // of whole chunks
  private int computing;
  private @Nullable Prefix prefix;

  Place(long id, String tenant, int tokens) {
    this.id = id;
    this.tenant = tenant;
    this.tokens = tokens;
  }

  /** A computation for it begins. */
  void begin() {
    computing++;
  }

  /** One ended. */
  void end() {
    computing--;
  }

  /** What it has now; null if it has nothing, or its time is over. */
  @Nullable Prefix prefix() {
    Prefix held = prefix;
    return held == null || held.timeLeft().map(Duration::isZero).orElse(false) ? null : held;
  }

  /** Puts another in; the one before, for the caller to close. */
  @Nullable Prefix replace(@Nullable Prefix next) {
    Prefix before = prefix;
    prefix = next;
    return before;
  }

  boolean isEmpty() {
    return computing == 0 && prefix() == null;
  }

  /** True if it is kept for longer than {@code ttl} as it is. */
  boolean outlasts(Duration ttl) {
    Prefix held = prefix();
    return held != null && held.timeLeft().map(left -> left.compareTo(ttl) > 0).orElse(true);
  }
}
