package org.chunkllama.schedule;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.chunkllama.error.ContextLengthException;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.error.TenantLimitException;
import org.chunkllama.error.TenantLimitException.Limit;
import org.chunkllama.prefix.ChunkUsage;

/**
 * What a tenant's requests take, and may. Requests and queued tokens are counted as they are sent,
 * on any thread; chunks by the tree, on the engine thread.
 */
final class TenantAccount {
  private final String tenant;
  private final int chunksTotal;
  private final int chunkTokens;
  private final AtomicInteger requests = new AtomicInteger();
  private final AtomicLong queuedTokens = new AtomicLong();
  private volatile int requestsMax = Integer.MAX_VALUE;
  private volatile long queuedTokensMax = Long.MAX_VALUE;
  private volatile int chunksMax;

  /** What its live sequences and pins hold. */
  final ChunkUsage chunks = new ChunkUsage();

  /** Its live sequences; on the engine thread. */
  int live;

  TenantAccount(String tenant, int chunksTotal, int chunkTokens) {
    this.tenant = tenant;
    this.chunksTotal = chunksTotal;
    this.chunkTokens = chunkTokens;
    this.chunksMax = chunksTotal;
  }

  void limit(int requests, long queuedTokens, double poolShare) {
    requestsMax = requests;
    queuedTokensMax = queuedTokens;
    chunksMax = (int) Math.clamp(Math.floor(poolShare * chunksTotal), 1, chunksTotal);
  }

  /** Most chunks that it may hold. */
  int chunksMax() {
    return chunksMax;
  }

  /** True if it may not hold the whole pool. */
  boolean isLimited() {
    return chunksMax < chunksTotal;
  }

  /** True if it holds more than it may. */
  boolean isOver() {
    return isLimited() && chunks.chunks() > chunksMax;
  }

  /** Longest sequence that its share of the pool holds, in tokens; without a share no bound. */
  long tokensMax() {
    return isLimited() ? (long) chunksMax * chunkTokens : Long.MAX_VALUE;
  }

  /**
   * Does nothing if so many requests with so many prompt tokens may ever wait together.
   *
   * @throws InvalidRequestException if even an idle tenant may not send them
   */
  void checkTogether(int count, long promptTokens) {
    if (count > requestsMax) {
      throw new InvalidRequestException(
          "%d prompts at once, tenant '%s' may have %d requests under way; send fewer, or allow it more (--tenant-requests)"
              .formatted(count, tenant, requestsMax));
    }
    if (promptTokens > queuedTokensMax) {
      throw new InvalidRequestException(
          "%d prompt tokens at once, tenant '%s' may have %d waiting; send fewer, or allow it more (--tenant-queued-tokens)"
              .formatted(promptTokens, tenant, queuedTokensMax));
    }
  }

  /**
   * Counts a request about to be sent.
   *
   * @throws ContextLengthException if its prompt can never be held within the tenant's share
   * @throws TenantLimitException if it is one too many now; either way nothing is counted
   */
  void enter(int promptTokens) {
    if (isLimited() && promptTokens >= tokensMax()) { // else the engine says that the pool is small
      throw new ContextLengthException(
          "the prompt has %d tokens, tenant '%s' may hold %d chunks of %d tokens; shorten it to %d or less, or raise the tenant's share of the pool (--tenant-pool-share)"
              .formatted(promptTokens, tenant, chunksMax, chunkTokens, tokensMax() - 1));
    }
    if (requests.incrementAndGet() > requestsMax) {
      requests.decrementAndGet();
      throw new TenantLimitException(
          Limit.REQUESTS,
          "tenant '%s' has %d requests under way, as many as it may; send this when one has ended"
              .formatted(tenant, requestsMax));
    }
    long queued = queuedTokens.addAndGet(promptTokens);
    if (queued > queuedTokensMax) {
      requests.decrementAndGet();
      queuedTokens.addAndGet(-promptTokens);
      throw new TenantLimitException(
          Limit.QUEUED_TOKENS,
          "tenant '%s' has %d prompt tokens waiting, %d more would exceed its %d; send this later"
              .formatted(tenant, queued - promptTokens, promptTokens, queuedTokensMax));
    }
  }

  /** A sequence of so many tokens needs more than the tenant may hold beside what it has pinned. */
  TenantLimitException overShare(int tokens) {
    return new TenantLimitException(
        Limit.POOL_SHARE,
        "a sequence of %d tokens needs %d chunks of %d tokens; tenant '%s' may hold %d, pins included"
            .formatted(tokens, Math.ceilDiv(tokens, chunkTokens), chunkTokens, tenant, chunksMax));
  }

  void leaveQueue(int promptTokens) {
    queuedTokens.addAndGet(-promptTokens);
  }

  void end() {
    requests.decrementAndGet();
  }

  /** Requests that wait or run. */
  int requests() {
    return requests.get();
  }

  /** Prompt tokens of requests that wait. */
  long queuedTokens() {
    return queuedTokens.get();
  }
}
