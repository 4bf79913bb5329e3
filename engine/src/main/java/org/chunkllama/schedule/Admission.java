package org.chunkllama.schedule;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import org.chunkllama.error.PoolExhaustedException;
import org.chunkllama.prefix.Match;
import org.chunkllama.prefix.PrefixTree;
import org.chunkllama.prefix.Sequence;
import org.jspecify.annotations.Nullable;

/**
 * Decides which waiting prompts get chunks.
 *
 * <p><b>Order.</b> By rank: priority, then arrival. A prompt whose prefix is being computed by
 * another waits for that, never computes it again, and lets others pass meanwhile; an identical
 * prompt joins the one being computed and takes its logits. Those who share a prefix run together:
 * when not all that waits has room, prompts that find most of theirs in the tree go first, and when
 * the first has no room, only such may pass it. Either way one is passed {@value #MOST_BYPASSES}
 * times at most while it is first, so nobody waits for ever: behind k others it is passed (k + 1) *
 * {@value #MOST_BYPASSES} times at most by later ones, and by those that priority puts before it,
 * which are no more than {@link Terms#ARRIVALS_PER_PRIORITY} per level.
 *
 * <p><b>Room.</b> Free and evictable chunks must hold the prompt and let every live sequence grow
 * by a chunk; with nothing live the prompt alone. What a tenant holds must stay within its share,
 * or its prompts wait for its own; others pass.
 */
final class Admission {
  /** How often one that waits for room is passed. */
  static final int MOST_BYPASSES = 32;

  /** How many prompts are looked at beyond the first that does not go on. */
  static final int WINDOW = 64;

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
  private final Set<TenantAccount> fullTenants = new HashSet<>(); // found in this pass
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
    fullTenants.clear();
    if (!waiting.fits((long) tree.available() * tree.chunkTokens(), slots())) {
      admitWarm();
    }
    admitInOrder();
    return refusals;
  }

  private int slots() {
    return limits.maxSequences() - lives.weight();
  }

  private boolean hasSlots(Entry entry) {
    return lives.size() == 0 || entry.weight() <= slots();
  }

  /** Those of the first {@value #WINDOW} that find most of their prompt go before the others. */
  private void admitWarm() {
    @Nullable Entry passed = null;
    int seen = 0;
    Iterator<Entry> entries = waiting.entries().iterator();
    while (entries.hasNext() && seen++ < WINDOW) {
      Entry entry = entries.next();
      if (!hasSlots(entry) || (passed != null && passed.bypassed >= MOST_BYPASSES)) {
        return;
      }
      if (admit(entry, true)) {
        waiting.removed(entries, entry);
        if (passed != null) {
          passed.bypassed++;
        }
      } else if (passed == null && !isPending(entry)) {
        passed = entry;
      }
    }
  }

  private void admitInOrder() {
    @Nullable Entry blocked = null;
    int beyond = 0;
    Iterator<Entry> entries = waiting.entries().iterator();
    while (entries.hasNext() && beyond < WINDOW) {
      Entry entry = entries.next();
      if (!hasSlots(entry) || (blocked != null && blocked.bypassed >= MOST_BYPASSES)) {
        return;
      }
      beyond += blocked == null ? 0 : 1;
      if (admit(entry, blocked != null)) {
        waiting.removed(entries, entry);
        if (blocked != null) {
          blocked.bypassed++;
        }
      } else if (waitsForTenant(entry)) {
        if (entry.group.account().live == 0) { // only its pins are in the way
          waiting.removed(entries, entry);
          refusals.add(
              new Refusal(entry.group, entry.group.account().overShare(entry.tokens().length)));
        }
      } else if (blocked == null && !isPending(entry)) {
        if (lives.size() == 0) {
          waiting.removed(entries, entry);
          refusals.add(new Refusal(entry.group, tooSmall(entry.tokens().length)));
        } else {
          blocked = entry;
        }
      }
    }
  }

  /** True if it runs now; {@code warm}: only if it finds most of its prompt. */
  private boolean admit(Entry entry, boolean warm) {
    return !waitsForTenant(entry) && (join(entry) || enter(entry, warm));
  }

  private boolean waitsForTenant(Entry entry) {
    return fullTenants.contains(entry.group.account());
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

  private boolean enter(Entry entry, boolean warm) {
    int[] tokens = entry.tokens();
    int count = tokens.length;
    Match match = tree.match(tokens, count, entry.salt());
    if (isWorthWaiting(match)) {
      return false;
    }
    if (warm && 2 * match.readyTokens() < count) {
      return false;
    }
    TenantAccount account = entry.group.account();
    if (account.isLimited() && !hasShare(entry, account)) {
      fullTenants.add(account); // its later prompts wait too
      return false;
    }
    int spare = lives.size() == 0 ? 0 : growth(entry);
    if (!tree.canInsert(tokens, count, entry.salt(), spare)) {
      return false;
    }
    Sequence sequence = tree.insert(tokens, count, entry.salt(), account.chunks);
    int counted = Math.max(entry.counted, sequence.reused());
    Live live = new Live(sequence, entry.rank(), account, counted, entry.key);
    lives.addPrefill(live, entry.key);
    start(entry, live, sequence.reused());
    return true;
  }

  /** Whether its tenant may hold the prompt and a chunk of growth for each of its sequences. */
  private boolean hasShare(Entry entry, TenantAccount account) {
    int[] tokens = entry.tokens();
    int growth =
        account.live == 0 ? 0 : Math.min(account.live + entry.weight(), account.chunksMax() / 4);
    int held = account.chunks.chunks() + tree.newlyHeld(tokens, tokens.length, entry.salt());
    return held + growth <= account.chunksMax();
  }

  private void start(Entry entry, Live live, int reused) {
    lives.serve(live, entry.rank());
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
