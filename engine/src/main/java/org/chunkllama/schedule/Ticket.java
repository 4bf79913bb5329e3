package org.chunkllama.schedule;

import org.chunkllama.error.TenantLimitException;

/**
 * A request's place in the queue and in its tenant's account, from before it is sent until it ends.
 * Taken on the sender's thread; given back on the engine thread, or by whoever refuses it.
 */
final class Ticket {
  final TenantAccount account;
  private final int promptTokens;
  private final Runnable leftQueue;
  private boolean queued = true;
  private boolean open = true;

  private Ticket(TenantAccount account, int promptTokens, Runnable leftQueue) {
    this.account = account;
    this.promptTokens = promptTokens;
    this.leftQueue = leftQueue;
  }

  /**
   * Counts a request.
   *
   * @param leftQueue called once, when it stops waiting for the first time
   * @throws TenantLimitException if its tenant has no more room now
   * @throws org.chunkllama.error.ContextLengthException if its tenant's share never holds it
   */
  static Ticket take(Tenants tenants, EngineRequest request, Runnable leftQueue) {
    TenantAccount account = tenants.account(request.terms().tenant());
    account.enter(request.prompt().length);
    return new Ticket(account, request.prompt().length, leftQueue);
  }

  /** It stops waiting; only the first call counts. */
  void leaveQueue() {
    if (queued) {
      queued = false;
      account.leaveQueue(promptTokens);
      leftQueue.run();
    }
  }

  /** It ended, or was never sent; only the first call counts. */
  void end() {
    leaveQueue();
    if (open) {
      open = false;
      account.end();
    }
  }
}
