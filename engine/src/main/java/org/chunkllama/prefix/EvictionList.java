package org.chunkllama.prefix;

import org.jspecify.annotations.Nullable;

/**
 * The retained nodes that nothing holds, least recently used first, linked through the nodes
 * themselves: every operation is O(1).
 *
 * <p>A child always stands before its parent, so the first node is a leaf. This holds because a
 * node enters at the end when its last holder leaves, deepest node of a path first, and whoever
 * held a child held its parent.
 */
final class EvictionList {
  private final Node ends = Node.root(""); // newer = the oldest, older = the newest
  private int size;

  EvictionList() {
    ends.newer = ends;
    ends.older = ends;
  }

  int size() {
    return size;
  }

  boolean contains(Node node) {
    return node.newer != null;
  }

  /** The next victim, a leaf; null if nothing is evictable. */
  @Nullable Node oldest() {
    return after(ends);
  }

  /** The node that is evicted after {@code node}; null if it is the last. */
  @Nullable Node after(Node node) {
    Node next = node.newer;
    return next == ends ? null : next;
  }

  /** Adds a node as the most recently used. */
  void addNewest(Node node) {
    Node previous = link(ends.older);
    previous.newer = node;
    node.older = previous;
    node.newer = ends;
    ends.older = node;
    size++;
  }

  /** Takes a node out. */
  void remove(Node node) {
    Node older = link(node.older);
    Node newer = link(node.newer);
    older.newer = newer;
    newer.older = older;
    node.older = null;
    node.newer = null;
    size--;
  }

  private static Node link(@Nullable Node neighbour) {
    if (neighbour == null) {
      throw new IllegalStateException("node is not in the eviction list");
    }
    return neighbour;
  }
}
