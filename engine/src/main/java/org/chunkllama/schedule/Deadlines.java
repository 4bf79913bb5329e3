package org.chunkllama.schedule;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/** Open requests that have a deadline, the next one first. */
final class Deadlines {
  private final TreeSet<Group> groups = new TreeSet<>(Deadlines::compare);

  private static int compare(Group a, Group b) {
    long difference = deadline(a) - deadline(b); // nanoTime may overflow, differences do not
    return difference != 0 ? Long.signum(difference) : Long.compare(a.id, b.id);
  }

  private static long deadline(Group group) {
    return group.request.terms().deadlineNanos();
  }

  void add(Group group) {
    if (group.request.terms().hasDeadline()) {
      groups.add(group);
    }
  }

  void remove(Group group) {
    if (group.request.terms().hasDeadline()) {
      groups.remove(group);
    }
  }

  /** Those whose time is over; they stay here until removed. O(1) if there is none. */
  List<Group> passed() {
    if (groups.isEmpty()) {
      return List.of();
    }
    long now = System.nanoTime();
    List<Group> passed = new ArrayList<>();
    for (Group group : groups) {
      if (deadline(group) - now > 0) {
        break;
      }
      passed.add(group);
    }
    return passed;
  }
}
