package org.chunkllama.schedule;

import java.util.ArrayList;
import java.util.List;
import org.chunkllama.error.PoolExhaustedException;
import org.chunkllama.prefix.PrefixTree;
import org.chunkllama.prefix.Sequence;
import org.jspecify.annotations.Nullable;

/**
 * Grows sequences; when the pool is dry, preempts the one of highest rank (lowest priority, then
 * youngest): its sequence leaves, what it computed stays cached while there is room, and it waits
 * to be computed again. The one of lowest rank always goes on, so all finish. A tenant that holds
 * more than its share preempts its own.
 */
final class Room {
  private final PrefixTree tree;
  private final LiveSet lives;
  private final WaitingQueue waiting;
  private final Admission admission;
  private final EngineCounters counters;

  Room(
      PrefixTree tree,
      LiveSet lives,
      WaitingQueue waiting,
      Admission admission,
      EngineCounters counters) {
    this.tree = tree;
    this.lives = lives;
    this.waiting = waiting;
    this.admission = admission;
    this.counters = counters;
  }

  /**
   * Appends a token; false if {@code live} itself had to be preempted.
   *
   * @throws PoolExhaustedException if nothing else is left to preempt
   */
  boolean append(Live live, int token) {
    while (true) {
      try {
        tree.append(live.sequence, token);
        return keepsShare(live);
      } catch (PoolExhaustedException _) {
        if (!preemptFor(live)) {
          return false;
        }
      }
    }
  }

  /**
   * Forks a sequence; null if {@code live} itself had to be preempted.
   *
   * @throws PoolExhaustedException if nothing else is left to preempt
   */
  @Nullable Live fork(Live live) {
    while (true) {
      try {
        Sequence sequence = tree.fork(live.sequence);
        Live forked = new Live(sequence, live.rank, live.account, live.counted, null);
        lives.add(forked);
        return forked;
      } catch (PoolExhaustedException _) {
        if (!preemptFor(live)) {
          return null;
        }
      }
    }
  }

  /** Brings a tenant back to its share of the pool; false if {@code live} had to be preempted. */
  private boolean keepsShare(Live live) {
    while (live.account.isOver()) {
      if (isAlone(live, live.account.live)) {
        throw live.account.overShare(live.sequence.length());
      }
      preempt(lives.victimOf(live.account));
      if (live.gone) {
        return false;
      }
    }
    return true;
  }

  /** Preempts another, or itself; false if that took {@code live} along. */
  private boolean preemptFor(Live live) {
    if (isAlone(live, lives.size())) {
      throw admission.tooSmall(live.sequence.length() + 1);
    }
    Live victim = lives.victim();
    preempt(victim);
    return !live.gone;
  }

  /** True if all {@code others} are this one's, so that preempting frees nothing for it. */
  private static boolean isAlone(Live live, int others) {
    if (live.continuations.size() != 1) {
      return false;
    }
    if (live.continuations.getFirst() instanceof Beams beams) {
      return others <= beams.lanes.size();
    }
    return others == 1;
  }

  /**
   * Takes a sequence, of a beam search all, out of the tree and puts what it serves back to wait.
   */
  private void preempt(Live victim) {
    counters.preemptions++;
    List<Continuation> continuations = List.copyOf(victim.continuations);
    int computed = Math.max(victim.counted, victim.sequence.computed());
    boolean leader = true;
    List<Continuation> fresh = new ArrayList<>();
    for (Continuation continuation : continuations) {
      if (continuation.generated() > 0) {
        requeue(List.of(continuation), Integer.MAX_VALUE);
        continue;
      }
      if (!fresh.isEmpty() && fresh.getFirst().group != continuation.group) {
        requeue(fresh, leader ? computed : Integer.MAX_VALUE);
        leader = false;
        fresh.clear();
      }
      fresh.add(continuation);
    }
    if (!fresh.isEmpty()) {
      requeue(fresh, leader ? computed : Integer.MAX_VALUE);
    }
    if (!victim.gone) {
      lives.remove(victim);
    }
    admission.changed();
  }

  private void requeue(List<Continuation> continuations, int counted) {
    for (Continuation continuation : continuations) {
      if (continuation instanceof Beams beams) {
        beams.lanes.forEach(lives::remove);
      }
      continuation.live = null;
      continuation.preempted();
    }
    waiting.add(new Entry(continuations, counted));
  }
}
