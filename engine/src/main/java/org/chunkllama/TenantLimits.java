package org.chunkllama;

import org.chunkllama.error.InvalidRequestException;

/**
 * What one tenant may take at once. A chunk that several of its sequences share counts once.
 *
 * @param requests most requests that wait or run
 * @param queuedTokens most prompt tokens of requests that wait
 * @param poolShare part of the KV pool that its running sequences and pins may hold, above 0 to 1;
 *     its requests wait for each other rather than hold more. Longer prompts are refused, and an
 *     answer that reaches its end is cut off there
 */
public record TenantLimits(int requests, long queuedTokens, double poolShare) {
  private static final TenantLimits NONE = new TenantLimits(Integer.MAX_VALUE, Long.MAX_VALUE, 1);

  public TenantLimits {
    require(requests >= 1, "requests must be 1 or more, not " + requests);
    require(queuedTokens >= 1, "queuedTokens must be 1 or more, not " + queuedTokens);
    require(poolShare > 0 && poolShare <= 1, "poolShare must be above 0 to 1, not " + poolShare);
  }

  private static void require(boolean holds, String message) {
    if (!holds) {
      throw new InvalidRequestException(message);
    }
  }

  /** No limit at all. */
  public static TenantLimits none() {
    return NONE;
  }

  public TenantLimits withRequests(int requests) {
    return new TenantLimits(requests, queuedTokens, poolShare);
  }

  public TenantLimits withQueuedTokens(long queuedTokens) {
    return new TenantLimits(requests, queuedTokens, poolShare);
  }

  public TenantLimits withPoolShare(double poolShare) {
    return new TenantLimits(requests, queuedTokens, poolShare);
  }
}
