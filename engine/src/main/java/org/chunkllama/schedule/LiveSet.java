package org.chunkllama.schedule;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.chunkllama.prefix.PrefixTree;
import org.chunkllama.prefix.Sequence;
import org.jspecify.annotations.Nullable;

/** The live sequences, and those among them whose prompt is being computed. */
final class LiveSet {
  private final PrefixTree tree;
  private final List<Live> all = new ArrayList<>();
  private final List<Live> prefilling = new ArrayList<>(); // by rank
  private final Map<Entry.PromptKey, Live> byPrompt = new HashMap<>(); // of prefilling
  private long removals;

  LiveSet(PrefixTree tree) {
    this.tree = tree;
  }

  int size() {
    return all.size();
  }

  /** Rises whenever one leaves and so makes room. */
  long removals() {
    return removals;
  }

  List<Live> all() {
    return all;
  }

  /** By rank. */
  List<Live> prefilling() {
    return prefilling;
  }

  int decoding() {
    return all.size() - prefilling.size();
  }

  /** Live sequences once every waiting continuation has its own. */
  int weight() {
    int weight = decoding();
    for (Live live : prefilling) {
      for (Continuation continuation : live.continuations) {
        weight += continuation.weight();
      }
    }
    return weight;
  }

  /** The one that computes exactly this prompt now. */
  @Nullable Live computing(Entry.PromptKey prompt) {
    return byPrompt.get(prompt);
  }

  void addPrefill(Live live, Entry.PromptKey prompt) {
    add(live);
    queue(live);
    byPrompt.putIfAbsent(prompt, live);
  }

  private void queue(Live live) {
    int at = prefilling.size();
    while (at > 0 && prefilling.get(at - 1).rank > live.rank) {
      at--;
    }
    prefilling.add(at, live);
  }

  /** One whose prompt is computed serves a request of this rank too. */
  void serve(Live live, long rank) {
    if (rank < live.rank) {
      prefilling.remove(live);
      live.rank = rank;
      queue(live);
    }
  }

  void add(Live live) {
    live.index = all.size();
    all.add(live);
    live.account.live++;
  }

  /** Its prompt is computed. */
  void promptComputed(Live live) {
    Entry.PromptKey prompt = live.computing;
    if (prompt != null) {
      prefilling.remove(live);
      byPrompt.remove(prompt, live);
      live.computing = null;
    }
  }

  /** Takes it out of set and tree; what is computed stays cached. */
  void remove(Live live) {
    promptComputed(live);
    Live last = all.removeLast();
    if (last.index != live.index) {
      last.index = live.index;
      all.set(last.index, last);
    }
    live.gone = true;
    removals++;
    live.account.live--;
    tree.remove(live.sequence);
  }

  /** The one to preempt; the set must not be empty. */
  Live victim() {
    return victimOf(null);
  }

  /** The one to preempt among a tenant's, or among all; there must be one. */
  Live victimOf(@Nullable TenantAccount account) {
    @Nullable Live victim = null;
    for (Live live : all) {
      boolean counts = account == null || live.account == account;
      if (counts && (victim == null || live.yieldsTo(victim))) {
        victim = live;
      }
    }
    if (victim == null) {
      throw new IllegalStateException("nothing to preempt");
    }
    return victim;
  }

  static Live of(Sequence sequence) {
    if (sequence.attachment() instanceof Live live) {
      return live;
    }
    throw new IllegalStateException(sequence + " is in the tree but not scheduled");
  }
}
