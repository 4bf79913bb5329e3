package org.chunkllama.prefix;

import java.util.HashMap;
import java.util.Map;
import org.chunkllama.error.PoolExhaustedException;

/**
 * The chunks behind the tree and what state each is in: free, live or retained. Counts who holds a
 * node, keeps what is released for later, evicts it when room is needed, and keeps the index of
 * tokens in step.
 */
final class ChunkStore {
  final int chunkTokens;
  final boolean sharing;
  final ChunkPool pool;
  final Node[] nodes; // by chunk id
  final SlotIndex index;
  final EvictionList evictable = new EvictionList();
  final Map<String, Node> roots = new HashMap<>(); // by salt; those with children
  private int live;
  private int retained;
  private int shared;
  private int sharedRows;
  private long evictions;

  ChunkStore(int chunks, int chunkTokens, boolean sharing, int hashMask) {
    if (chunkTokens < 1) {
      throw new IllegalArgumentException("chunk size must be positive, not " + chunkTokens);
    }
    this.chunkTokens = chunkTokens;
    this.sharing = sharing;
    pool = new ChunkPool(chunks);
    nodes = new Node[chunks];
    index = new SlotIndex(nodes, chunkTokens, hashMask);
    for (int i = 0; i < chunks; i++) {
      nodes[i] = Node.ofChunk(i, chunkTokens);
    }
  }

  int live() {
    return live;
  }

  int retained() {
    return retained;
  }

  /** Chunks that two or more sequences run through. */
  int shared() {
    return shared;
  }

  /** Sequences through shared chunks, counted per chunk. */
  int sharedRows() {
    return sharedRows;
  }

  long evictions() {
    return evictions;
  }

  /** Chunks that {@link #allocate} can yield: free ones and those it may evict. */
  int available() {
    return pool.free() + evictable.size();
  }

  int chunksFor(int tokens) {
    return Math.ceilDiv(tokens, chunkTokens);
  }

  Node root(String salt) {
    return roots.computeIfAbsent(
        salt,
        s -> {
          Node root = Node.root(s);
          root.seed = index.hash(s);
          return root;
        });
  }

  /**
   * Evicts until {@code chunks} are free.
   *
   * @throws PoolExhaustedException if they cannot be; then nothing is evicted
   */
  void makeRoom(int chunks) {
    if (chunks > available()) {
      throw exhausted(chunks, available());
    }
    while (pool.free() < chunks) {
      Node victim = evictable.oldest();
      if (victim == null) {
        throw new IllegalStateException("fewer evictable chunks than counted");
      }
      evictable.remove(victim);
      retained--;
      evictions++;
      discard(victim);
    }
  }

  /**
   * The chunks that allocations of one chunk each would take next, if nothing else happens: fills
   * {@code ids[0, count)}; false if there are fewer.
   */
  boolean upcoming(int[] ids, int count) {
    if (count > available()) {
      return false;
    }
    int free = Math.min(count, pool.free());
    for (int i = 0; i < free; i++) {
      ids[i] = pool.upcoming(i);
    }
    Node victim = evictable.oldest();
    for (int i = free; i < count && victim != null; i++) {
      ids[i] = victim.chunk;
      victim = evictable.after(victim);
    }
    return true;
  }

  PoolExhaustedException exhausted(int needed, int available) {
    int free = pool.free();
    return new PoolExhaustedException(
        "KV cache is full: "
            + needed
            + " more chunks of "
            + chunkTokens
            + " tokens are needed, "
            + free
            + " are free and "
            + (available - free)
            + " can be evicted (of "
            + pool.total()
            + " chunks "
            + live
            + " are live, "
            + (retained - evictable.size())
            + " pinned); use a larger KV cache, fewer sequences at once or shorter prompts");
  }

  /** A new live node below a full {@code parent}, with one sharer. There must be room. */
  Node allocate(Node parent, ChunkUsage usage) {
    Node node = nodes[pool.take()];
    node.parent = parent;
    node.depth = parent.depth + 1;
    node.seed = index.hash(parent);
    charge(node, usage);
    node.sharers = 1;
    parent.children++;
    live++;
    return node;
  }

  /** Adds a token, not computed yet, to a node that is not full. */
  void add(Node node, int token) {
    int slot = node.count++;
    node.tokens[slot] = token;
    if (sharing) {
      index.add(node, slot);
    }
  }

  /** Marks the first {@code ready} tokens of a node computed; not fewer than before. */
  void makeReady(Node node, int ready) {
    if (sharing) {
      index.makeReady(node, ready);
    }
    node.ready = ready;
  }

  /** Adds sharers to a node, which makes it live; if nothing held it, it now counts for them. */
  void share(Node node, int sequences, ChunkUsage usage) {
    if (node.sharers == 0) {
      live++;
      retained--;
      if (node.pins == 0) {
        evictable.remove(node);
        charge(node, usage);
      }
    }
    setSharers(node, node.sharers + sequences);
  }

  private void setSharers(Node node, int sharers) {
    count(node, -1);
    node.sharers = sharers;
    count(node, 1);
  }

  private void count(Node node, int change) {
    if (node.sharers > 1) {
      shared += change;
      sharedRows += change * node.sharers;
    }
  }

  private static void charge(Node node, ChunkUsage usage) {
    node.usage = usage;
    usage.add(1);
  }

  private static void discharge(Node node) {
    usage(node).add(-1);
    node.usage = null;
  }

  /** Who a held node counts for. */
  static ChunkUsage usage(Node node) {
    ChunkUsage usage = node.usage;
    if (usage == null) {
      throw new IllegalStateException("chunk " + node.chunk + " is held for nobody");
    }
    return usage;
  }

  /**
   * Takes one sharer from a node. The last one leaves the computed tokens retained, unless a
   * sibling has the same; what is not computed is dropped. Children that this frees must have been
   * released before.
   */
  void release(Node node) {
    setSharers(node, node.sharers - 1);
    if (node.sharers > 0) {
      return;
    }
    live--;
    if (node.pins == 0) {
      discharge(node);
    }
    truncate(node);
    if (node.ready == 0 || !sharing || index.twin(node, node.ready) >= 0) {
      discard(node);
      return;
    }
    retained++;
    if (node.pins == 0) {
      evictable.addNewest(node);
    }
  }

  /** Adds a pin to a node; if nothing held it, it now counts for {@code usage}. */
  void pin(Node node, ChunkUsage usage) {
    if (!node.isHeld()) {
      evictable.remove(node);
      charge(node, usage);
    }
    node.pins++;
  }

  /** Takes a pin from a node. */
  void unpin(Node node) {
    node.pins--;
    if (!node.isHeld()) {
      discharge(node);
      evictable.addNewest(node);
    }
  }

  /** Frees a live node without retaining it: its sharers run through another one. */
  void dissolve(Node node) {
    setSharers(node, 0);
    live--;
    discharge(node);
    discard(node);
  }

  private void truncate(Node node) {
    if (sharing) {
      index.remove(node, node.ready, node.count);
    }
    node.count = node.ready;
  }

  private void discard(Node node) {
    if (node.children > 0 || node.isHeld()) {
      throw new IllegalStateException("chunk " + node.chunk + " is freed in use");
    }
    if (sharing) {
      index.remove(node, 0, node.count);
    }
    Node parent = node.parent;
    parent.children--;
    if (parent.isRoot() && parent.children == 0) {
      roots.remove(parent.salt);
    }
    node.parent = node;
    node.depth = -1;
    node.count = 0;
    node.ready = 0;
    node.last = null;
    pool.give(node.chunk);
  }
}
