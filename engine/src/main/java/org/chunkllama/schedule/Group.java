package org.chunkllama.schedule;

import java.util.ArrayList;
import java.util.List;

/** A request on its way, with all that runs for it. */
final class Group {
  final long id;
  final EngineRequest request;
  final long submittedNanos;
  final List<Continuation> continuations = new ArrayList<>(1);
  private final Ticket ticket;
  private boolean admitted;
  private final RequestEvent event = new RequestEvent();
  private int cachedTokens;
  private long ttftNanos;
  boolean over;

  /**
   * A group before its first step.
   *
   * @param id rises with arrival
   * @param ticket given back in parts, when it is admitted and when it ends
   */
  Group(long id, EngineRequest request, long submittedNanos, Ticket ticket) {
    this.id = id;
    this.request = request;
    this.submittedNanos = submittedNanos;
    this.ticket = ticket;
    event.begin();
  }

  RequestListener listener() {
    return request.listener();
  }

  TenantAccount account() {
    return ticket.account;
  }

  /**
   * Its turn, lower first: as if each level of priority had come {@link
   * Terms#ARRIVALS_PER_PRIORITY} requests earlier. No two are equal.
   */
  long rank() {
    int priority = request.terms().priority();
    long turn = id - (long) Terms.ARRIVALS_PER_PRIORITY * priority;
    return turn * (2 * Terms.MOST_PRIORITY + 1) + Terms.MOST_PRIORITY - priority;
  }

  /** It ended. */
  void end(String outcome) {
    over = true;
    ticket.end();
    if (event.shouldCommit()) {
      event.id = id;
      event.priority = request.terms().priority();
      event.promptTokens = request.prompt().length;
      event.cachedTokens = cachedTokens;
      event.ttftNanos = ttftNanos;
      event.outcome = outcome;
      for (Continuation continuation : continuations) {
        event.generatedTokens += continuation.generated();
      }
      event.commit();
    }
  }

  /** Its prompt has chunks; only the first call counts. */
  void admit(int cachedTokens) {
    ticket.leaveQueue();
    if (!admitted) {
      admitted = true;
      this.cachedTokens = cachedTokens;
      listener().admitted(cachedTokens);
    }
  }

  /** Counts the time to the first token, once. */
  void noteToken(EngineCounters counters) {
    if (ttftNanos == 0) {
      ttftNanos = System.nanoTime() - submittedNanos;
      counters.ttftNanosSum += ttftNanos;
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
