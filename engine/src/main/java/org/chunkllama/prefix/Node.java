package org.chunkllama.prefix;

import org.jspecify.annotations.Nullable;

/**
 * One chunk in the tree, or a tenant's root. Made once per chunk id and recycled; plain fields,
 * written only by this package's structures.
 *
 * <p>A node is <i>live</i> while sequences run through it, <i>retained</i> while it is only kept
 * for later, and <i>held</i> while it must not be evicted: live or pinned.
 */
final class Node {
  /** Chunk id; -1 for a root. */
  final int chunk;

  /** {@code [chunkTokens]}, of which the first {@link #count} are there; empty for a root. */
  final int[] tokens;

  /** The tenant's salt; empty if this is not a root. */
  final String salt;

  /** The parent; itself for a root and for a free node. */
  Node parent = this;

  /** Chunk index in its sequences: position / chunkTokens; -1 for a root. */
  int depth = -1;

  /** Hash of everything before this node: the salt and all tokens of the nodes above. */
  int seed;

  /** Tokens known. */
  int count;

  /** Leading tokens whose K and V are computed; at most {@link #count}. */
  int ready;

  /** Nodes below whose parent this is. */
  int children;

  /** Live sequences that run through it. */
  int sharers;

  /** Open pins that hold it. */
  int pins;

  /** Who it is counted for while it is held; null while it is not. */
  @Nullable ChunkUsage usage;

  /** The last of its sharers in depth-first order; null if there is none. */
  @Nullable Sequence last;

  /** Neighbours in the eviction list; both null when not in it. */
  @Nullable Node older;

  @Nullable Node newer;

  private Node(int chunk, int chunkTokens, String salt) {
    this.chunk = chunk;
    this.tokens = new int[chunkTokens];
    this.salt = salt;
  }

  static Node ofChunk(int chunk, int chunkTokens) {
    return new Node(chunk, chunkTokens, "");
  }

  static Node root(String salt) {
    return new Node(-1, 0, salt);
  }

  boolean isRoot() {
    return chunk < 0;
  }

  boolean isHeld() {
    return sharers > 0 || pins > 0;
  }
}
