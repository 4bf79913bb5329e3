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
  private boolean hasToken;
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
  }

  RequestListener listener() {
    return request.listener();
  }

  TenantAccount account() {
    return ticket.account;
  }

  /** Its turn, lower first: as if each level of priority had come some requests earlier. */
  long rank() {
    return id - (long) Terms.ARRIVALS_PER_PRIORITY * request.terms().priority();
  }

  /** It ended. */
  void end() {
    over = true;
    ticket.end();
  }

  /** Its prompt has chunks; only the first call counts. */
  void admit(int cachedTokens) {
    ticket.leaveQueue();
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
