package org.chunkllama.schedule;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** Prompts that wait for chunks, by rank: priority, then arrival. */
final class WaitingQueue {
  private final List<Entry> entries = new ArrayList<>();
  private long tokens;

  int size() {
    return entries.size();
  }

  List<Entry> entries() {
    return entries;
  }

  /** Puts it in its place; a preempted one goes before all of higher rank. */
  void add(Entry entry) {
    int at = entries.size();
    while (at > 0 && entries.get(at - 1).rank() > entry.rank()) {
      at--;
    }
    entries.add(at, entry);
    tokens += entry.tokens().length;
  }

  /** Takes out what {@code at} gave last. */
  void removed(Iterator<Entry> at, Entry entry) {
    at.remove();
    tokens -= entry.tokens().length;
  }

  /** Whether all of them have room at once, by a look at the sums. */
  boolean fits(long roomTokens, int slots) {
    return tokens <= roomTokens && entries.size() <= slots;
  }

  void remove(Entry entry) {
    if (entries.remove(entry)) {
      tokens -= entry.tokens().length;
    }
  }
}
