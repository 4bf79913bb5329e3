package org.chunkllama.schedule;

import java.util.ArrayList;
import java.util.List;

/** A request on its way, with all that runs for it. */
final class Group {
  final long id;
  final EngineRequest request;
  final long submittedNanos;
  final List<Continuation> continuations = new ArrayList<>(1);
  private final Runnable leftQueue;
  private boolean queued = true;
  private boolean admitted;
  private boolean hasToken;
  boolean over;

  /**
   * A group before its first step.
   *
   * @param id rises with arrival
   * @param leftQueue called once, when it is admitted or ends
   */
  Group(long id, EngineRequest request, long submittedNanos, Runnable leftQueue) {
    this.id = id;
    this.request = request;
    this.submittedNanos = submittedNanos;
    this.leftQueue = leftQueue;
  }

  RequestListener listener() {
    return request.listener();
  }

  void leaveQueue() {
    if (queued) {
      queued = false;
      leftQueue.run();
    }
  }

  /** Its prompt has chunks; only the first call counts. */
  void admit(int cachedTokens) {
    leaveQueue();
    if (!admitted) {
      admitted = true;
      listener().admitted(cachedTokens);
    }
  }

  /** Counts the time to the first token, once. */
  void noteToken(EngineCounters counters) {
    if (!hasToken) {
      hasToken = true;
      counters.ttftNanosSum += System.nanoTime() - submittedNanos;
      counters.ttftCount++;
    }
  }

  boolean allOver() {
    for (Continuation continuation : continuations) {
      if (!continuation.over) {
        return false;
      }
    }
    return true;
  }
}
