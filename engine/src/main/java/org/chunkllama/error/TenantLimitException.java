package org.chunkllama.error;

/** A tenant asked for more than its share: try again when its own requests have ended. */
public final class TenantLimitException extends ChunkLlamaException {
  private static final long serialVersionUID = 1L;

  /** What a tenant can run out of. */
  public enum Limit {
    /** Requests that wait or run at once. */
    REQUESTS,
    /** Prompt tokens of requests that wait. */
    QUEUED_TOKENS,
    /** Chunks of the KV pool. */
    POOL_SHARE
  }

  private final Limit limit;

  public TenantLimitException(Limit limit, String message) {
    super(message, null);
    this.limit = limit;
  }

  /** Which limit was reached. */
  public Limit limit() {
    return limit;
  }
}
