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

  /** Arrival of the oldest request it serves; the youngest is preempted first. */
  final long arrival;

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

  Live(Sequence sequence, long arrival, int counted, Entry.@Nullable PromptKey computing) {
    this.sequence = sequence;
    this.arrival = arrival;
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

  /** Younger ones are preempted first; of one request, the sequence that began last. */
  boolean isYoungerThan(Live other) {
    return arrival != other.arrival ? arrival > other.arrival : sequence.id() > other.sequence.id();
  }
}
