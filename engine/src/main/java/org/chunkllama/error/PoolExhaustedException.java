package org.chunkllama.error;

import org.jspecify.annotations.Nullable;

/** The chunk pool has no room, even after eviction. */
public final class PoolExhaustedException extends ChunkLlamaException {
  private static final long serialVersionUID = 1L;

  public PoolExhaustedException(String message) {
    super(message, null);
  }

  public PoolExhaustedException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
