package org.chunkllama.schedule;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.chunkllama.error.PoolExhaustedException;
import org.chunkllama.prefix.Match;
import org.chunkllama.prefix.PrefixTree;
import org.chunkllama.prefix.Sequence;
import org.jspecify.annotations.Nullable;

/**
 * Decides which waiting prompts get chunks.
 *
 * <p><b>Order.</b> First come, first served. A prompt whose prefix is being computed by another
 * waits for that, never computes it again, and lets others pass meanwhile; an identical prompt
 * joins the one being computed and takes its logits. When the first has no room, only prompts that
 * find most of theirs in the tree may pass it, and only {@value #MOST_BYPASSES} times: those who
 * share a prefix run together and nobody waits for ever.
 *
 * <p><b>Room.</b> Free and evictable chunks must hold the prompt and let every live sequence grow
 * by a chunk; with nothing live the prompt alone.
 */
final class Admission {
  /** How often one that waits for room is passed. */
  static final int MOST_BYPASSES = 32;

  /** Tokens under way that a prompt waits for even if no other does. */
  static final int LEAST_PENDING = 16;

  /** Tokens that all waiting prompts together would compute again: more than a step's own cost. */
  static final int LEAST_PENDING_TOGETHER = 64;

  private final PrefixTree tree;
  private final LiveSet lives;
  private final WaitingQueue waiting;
  private final EngineLimits limits;
  private final EngineCounters counters;
  private final List<Refusal> refusals = new ArrayList<>();
  private boolean changed;
  private long removalsSeen;

  Admission(
      PrefixTree tree,
      LiveSet lives,
      WaitingQueue waiting,
      EngineLimits limits,
      EngineCounters counters) {
    this.tree = tree;
    this.lives = lives;
    this.waiting = waiting;
    this.limits = limits;
    this.counters = counters;
  }

  /** Something arrived or was computed: look again. */
  void changed() {
    changed = true;
  }

  /** A group that cannot go on, and why. */
  record Refusal(Group group, RuntimeException error) {}

  /**
   * Admits all that may run now.
   *
   * @return requests to fail, valid until the next call: those that can never run, and those whose
   *     listener failed
   */
  List<Refusal> admit() {
    refusals.clear();
    // With nothing live always: whatever waits must go on, or be refused.
    boolean look = changed || lives.removals() != removalsSeen || lives.size() == 0;
    if (!look || waiting.size() == 0) {
      return refusals;
    }
    changed = false;
    removalsSeen = lives.removals();
    @Nullable Entry blocked = null;
    Iterator<Entry> entries = waiting.entries().iterator();
    while (entries.hasNext()) {
      Entry entry = entries.next();
      if (lives.size() > 0 && lives.weight() + entry.weight() > limits.maxSequences()) {
        break;
      }
      if (blocked != null && blocked.bypassed >= MOST_BYPASSES) {
        break;
      }
      if (join(entry) || enter(entry, blocked != null)) {
        entries.remove();
        if (blocked != null) {
          blocked.bypassed++;
        }
      } else if (blocked == null && !isPending(entry)) {
        if (lives.size() == 0) {
          entries.remove();
          refusals.add(new Refusal(entry.group, tooSmall(entry.tokens().length)));
        } else {
          blocked = entry;
        }
      }
    }
    return refusals;
  }

  private boolean isPending(Entry entry) {
    int[] tokens = entry.tokens();
    return isWorthWaiting(tree.match(tokens, tokens.length, entry.salt()));
  }

  private boolean isWorthWaiting(Match match) {
    long pending = match.pendingTokens();
    return pending >= LEAST_PENDING || pending * waiting.size() >= LEAST_PENDING_TOGETHER;
  }

  /** Joins the sequence that computes the same prompt now. */
  private boolean join(Entry entry) {
    @Nullable Live leader = limits.sharing() ? lives.computing(entry.key) : null;
    if (leader == null || tree.available() < growth(entry)) {
      return false;
    }
    // All of its prompt is computed for the leader.
    start(entry, leader, entry.tokens().length);
    return true;
  }

  private boolean enter(Entry entry, boolean bypassing) {
    int[] tokens = entry.tokens();
    int count = tokens.length;
    Match match = tree.match(tokens, count, entry.salt());
    if (isWorthWaiting(match)) {
      return false;
    }
    if (bypassing && 2 * match.readyTokens() < count) {
      return false;
    }
    int spare = lives.size() == 0 ? 0 : growth(entry);
    if (!tree.canInsert(tokens, count, entry.salt(), spare)) {
      return false;
    }
    Sequence sequence = tree.insert(tokens, count, entry.salt());
    Live live =
        new Live(sequence, entry.arrival(), Math.max(entry.counted, sequence.reused()), entry.key);
    lives.addPrefill(live, entry.key);
    start(entry, live, sequence.reused());
    return true;
  }

  private void start(Entry entry, Live live, int reused) {
    for (Continuation continuation : entry.continuations) {
      live.add(continuation);
    }
    counters.promptTokensReused += Math.max(0, reused - entry.counted);
    try {
      entry.group.admit(reused);
    } catch (RuntimeException e) { // its listener's fault
      refusals.add(new Refusal(entry.group, e));
    }
  }

  /** A chunk of growth for each sequence, live and new; at most a quarter of the pool. */
  private int growth(Entry entry) {
    return Math.min(lives.weight() + entry.weight(), tree.chunksTotal() / 4);
  }

  /** For a sequence of {@code tokens} tokens that does not fit even alone. */
  PoolExhaustedException tooSmall(int tokens) {
    int pinned = tree.chunksTotal() - tree.available() - tree.chunksLive();
    return new PoolExhaustedException(
        "a sequence of %d tokens needs %d chunks of %d tokens; the KV pool has %d%s: give it more memory"
            .formatted(
                tokens,
                (tokens + tree.chunkTokens() - 1) / tree.chunkTokens(),
                tree.chunkTokens(),
                tree.chunksTotal(),
                pinned > 0 ? ", " + pinned + " of them pinned" : ""));
  }
}
