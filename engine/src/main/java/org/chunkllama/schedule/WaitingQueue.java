package org.chunkllama.schedule;

import java.util.ArrayList;
import java.util.List;

/** Prompts that wait for chunks, in the order in which their requests arrived. */
final class WaitingQueue {
  private final List<Entry> entries = new ArrayList<>();

  int size() {
    return entries.size();
  }

  List<Entry> entries() {
    return entries;
  }

  /** Puts it in its place; a preempted one goes before all that arrived later. */
  void add(Entry entry) {
    int at = entries.size();
    while (at > 0 && entries.get(at - 1).arrival() > entry.arrival()) {
      at--;
    }
    entries.add(at, entry);
  }

  void remove(Entry entry) {
    entries.remove(entry);
  }
}
