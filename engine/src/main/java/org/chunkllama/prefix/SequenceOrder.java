package org.chunkllama.prefix;

import org.jspecify.annotations.Nullable;

/**
 * The live sequences in depth-first order, as a linked list, and the last sequence of each node's
 * range. A node covers a contiguous range of the list, so a sequence that joins goes right behind
 * the last one of its deepest node.
 */
final class SequenceOrder {
  @Nullable Sequence first;
  @Nullable Sequence last;
  int size;

  /**
   * The sequence behind which one belongs that joins at {@code node}; null if there is no sequence
   * at all.
   */
  @Nullable Sequence placeBelow(Node node) {
    Node live = node;
    while (live.sharers == 0 && !live.isRoot()) {
      live = live.parent;
    }
    return live.sharers > 0 ? live.last : last;
  }

  /** Links a new sequence behind {@code at}; at the front if that is null. */
  void add(Sequence s, @Nullable Sequence at) {
    link(s, s, at);
    size++;
  }

  void remove(Sequence s) {
    unlink(s, s);
    s.previous = null;
    s.next = null;
    size--;
  }

  /**
   * Moves the neighbours {@code from} .. {@code to} behind {@code at}, inside the range of {@code
   * ancestor}, and corrects the last sequence of it and of the nodes above it. All three must be in
   * its range.
   */
  void move(Sequence from, Sequence to, Sequence at, Node ancestor) {
    Sequence before = from.previous;
    if (before == at) {
      return;
    }
    unlink(from, to);
    link(from, to, at);
    Node node = ancestor;
    while (true) {
      Sequence end = node.last;
      if (end == to) {
        node.last = before;
      } else if (end == at) {
        node.last = to;
      } else {
        return; // it ends behind both, and so do all above it
      }
      if (node.isRoot()) {
        return;
      }
      node = node.parent;
    }
  }

  private void link(Sequence from, Sequence to, @Nullable Sequence at) {
    Sequence behind = at == null ? first : at.next;
    from.previous = at;
    to.next = behind;
    if (at == null) {
      first = from;
    } else {
      at.next = from;
    }
    if (behind == null) {
      last = to;
    } else {
      behind.previous = to;
    }
  }

  private void unlink(Sequence from, Sequence to) {
    Sequence before = from.previous;
    Sequence behind = to.next;
    if (before == null) {
      first = behind;
    } else {
      before.next = behind;
    }
    if (behind == null) {
      last = before;
    } else {
      behind.previous = before;
    }
  }
}
