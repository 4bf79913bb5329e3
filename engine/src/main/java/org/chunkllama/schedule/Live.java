package org.chunkllama.schedule;

import java.util.ArrayList;
import java.util.List;
import org.chunkllama.prefix.Sequence;
import org.jspecify.annotations.Nullable;

/**
 * A sequence of the tree with what continues it. While its prompt is computed several may wait for
 * the same logits; afterwards each has a sequence of its own.
 */
final class Live {
  final Sequence sequence;

  /** Lowest rank of the requests that it serves; the one of highest rank is preempted first. */
  long rank;

  /** Whose share of the pool it takes. */
  final TenantAccount account;

  final List<Continuation> continuations = new ArrayList<>(1);

  /** The prompt being computed; null once it is. */
  Entry.@Nullable PromptKey computing;

  /** Positions from here on are computed for the first time. */
  final int counted;

  /** Rows in this step. */
  int slice;

  /** Place in {@link LiveSet}. */
  int index;

  /** Which running beam, for a beam search. */
  int beam;

  /** Removed from the tree. */
  boolean gone;

  Live(
      Sequence sequence,
      long rank,
      TenantAccount account,
      int counted,
      Entry.@Nullable PromptKey computing) {
    this.sequence = sequence;
    this.rank = rank;
    this.account = account;
    this.counted = counted;
    this.computing = computing;
    sequence.attach(this);
  }

  boolean isPrefill() {
    return computing != null;
  }

  /** Tokens without KV. */
  int missing() {
    return sequence.length() - sequence.computed();
  }

  boolean wantsLogits() {
    for (Continuation continuation : continuations) {
      if (continuation.wantsLogits()) {
        return true;
      }
    }
    return false;
  }

  void add(Continuation continuation) {
    continuation.live = this;
    continuation.entry = null;
    continuations.add(continuation);
  }

  /** Whether it is preempted before another; of one request, the sequence that began last. */
  boolean yieldsTo(Live other) {
    return rank != other.rank ? rank > other.rank : sequence.id() > other.sequence.id();
  }
}
