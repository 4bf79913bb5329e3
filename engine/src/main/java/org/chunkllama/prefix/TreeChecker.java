package org.chunkllama.prefix;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import org.jspecify.annotations.Nullable;

/** Verifies a tree from the ground up: counts everything again and compares. */
final class TreeChecker {
  private final ChunkStore store;
  private final Paths paths;
  private final PinTable pins;
  private final int chunkTokens;
  private final List<Sequence> rows = new ArrayList<>();

  TreeChecker(ChunkStore store, Paths paths, PinTable pins) {
    this.store = store;
    this.paths = paths;
    this.pins = pins;
    this.chunkTokens = store.chunkTokens;
  }

  void check() {
    store.pool.check();
    checkCounts();
    for (Node node : store.nodes) {
      if (store.pool.isFree(node.chunk)) {
        checkFree(node);
      } else {
        checkNode(node);
      }
    }
    checkChildren();
    checkOrder();
    checkSharers();
    checkPins();
    checkUsage();
    checkEvictionList();
    checkIndex();
  }

  private void checkCounts() {
    int live = 0;
    int retained = 0;
    for (Node node : store.nodes) {
      if (!store.pool.isFree(node.chunk)) {
        live += node.sharers > 0 ? 1 : 0;
        retained += node.sharers > 0 ? 0 : 1;
      }
    }
    require(live == store.live(), "{} live chunks counted, {} found", store.live(), live);
    require(
        retained == store.retained(),
        "{} retained chunks counted, {} found",
        store.retained(),
        retained);
    require(
        store.pool.free() + live + retained == store.pool.total(),
        "{} free + {} live + {} retained chunks are not {}",
        store.pool.free(),
        live,
        retained,
        store.pool.total());
    require(store.sharing || retained == 0, "chunks are retained with sharing off");
  }

  private void checkFree(Node node) {
    require(
        node.parent == node && !node.isHeld() && node.children == 0 && node.count == 0,
        "free chunk {} is in use",
        node.chunk);
    require(!store.evictable.contains(node), "free chunk {} is evictable", node.chunk);
    require(node.usage == null, "free chunk {} counts for somebody", node.chunk);
  }

  private void checkNode(Node node) {
    Node parent = node.parent;
    int chunk = node.chunk;
    if (parent.isRoot()) {
      require(store.roots.get(parent.salt) == parent, "chunk {} hangs below a lost root", chunk);
    } else {
      require(!store.pool.isFree(parent.chunk), "parent of chunk {} is free", chunk);
      require(parent.count == chunkTokens, "inner chunk {} is not full", parent.chunk);
      require(parent.sharers >= node.sharers, "chunk {} has more sharers than its parent", chunk);
      require(parent.pins >= node.pins, "chunk {} has more pins than its parent", chunk);
      require(
          node.ready == 0 || parent.ready == chunkTokens,
          "chunk {} is ready before its parent",
          chunk);
    }
    require(node.depth == parent.depth + 1, "chunk {} has depth {}", chunk, node.depth);
    require(node.count >= 1 && node.count <= chunkTokens, "chunk {} is empty", chunk);
    require(node.ready >= 0 && node.ready <= node.count, "chunk {}: ready > count", chunk);
    require(node.sharers > 0 || node.ready == node.count, "retained chunk {} is in flight", chunk);
    require(node.pins == 0 || node.ready == chunkTokens, "pinned chunk {} is not whole", chunk);
    require(
        store.evictable.contains(node) != node.isHeld(),
        "chunk {} is held and evictable, or neither",
        chunk);
  }

  /** Who holds how much, and what is shared. */
  private void checkUsage() {
    IdentityHashMap<ChunkUsage, Integer> held = new IdentityHashMap<>();
    int shared = 0;
    int rowsShared = 0;
    for (Node node : store.nodes) {
      ChunkUsage usage = node.usage;
      require(
          node.isHeld() == (usage != null), "chunk {} is held or counted, not both", node.chunk);
      if (usage != null) {
        held.merge(usage, 1, Integer::sum);
      }
      if (node.sharers > 1) {
        shared++;
        rowsShared += node.sharers;
      }
    }
    held.forEach((usage, chunks) ->
        require(usage.chunks() == chunks, "{} chunks counted, {} held", usage.chunks(), chunks));
    require(
        shared == store.shared() && rowsShared == store.sharedRows(),
        "{} shared chunks with {} rows found, not what is counted",
        shared,
        rowsShared);
  }

  private void checkChildren() {
    int[] children = new int[store.nodes.length];
    Set<Node> roots = new HashSet<>(store.roots.values());
    int below = 0;
    for (Node node : store.nodes) {
      if (node.parent.isRoot()) {
        below++;
        roots.remove(node.parent);
      } else if (node.parent != node) {
        children[node.parent.chunk]++;
      }
    }
    for (Node node : store.nodes) {
      require(
          node.children == children[node.chunk],
          "chunk {} counts {} children, {} found",
          node.chunk,
          node.children,
          children[node.chunk]);
    }
    require(roots.isEmpty(), "{} roots have no children", roots.size());
    int counted = store.roots.values().stream().mapToInt(r -> r.children).sum();
    require(counted == below, "roots count {} children, {} found", counted, below);
  }

  private void checkOrder() {
    Sequence previous = null;
    int unshared = 0;
    for (Sequence s = paths.order.first; s != null; s = s.next) {
      require(s.previous == previous, "the order is broken before {}", s);
      require(!s.isRemoved() && s.store == store, "{} is in order but not live", s);
      checkPath(s);
      rows.add(s);
      unshared += s.chunkCount;
      previous = s;
    }
    require(paths.order.last == previous, "the order does not end with {}", previous);
    require(rows.size() == paths.order.size, "the order lost a sequence");
    require(unshared == paths.counters.unshared, "unshared chunks: {} found", unshared);
  }

  private void checkPath(Sequence s) {
    require(
        s.chunkCount == store.chunksFor(s.length) && s.length > 0,
        "{} has {} chunks",
        s,
        s.chunkCount);
    require(s.computed <= s.length && s.reused() <= s.length, "{}", s);
    Node above = store.roots.get(s.salt());
    for (int i = 0; i < s.chunkCount; i++) {
      Node node = s.node(i);
      int tokens = Math.min(chunkTokens, s.length - i * chunkTokens);
      int computed = Math.min(tokens, s.computed - i * chunkTokens);
      require(node.parent == above && node.depth == i, "chunk {} of {} is off its path", i, s);
      require(node.count == tokens, "chunk {} of {} holds {} tokens", i, s, node.count);
      require(node.ready >= computed, "chunk {} of {} is not computed", i, s);
      above = node;
    }
  }

  /** Every node covers one contiguous range of rows, and knows how many and which is the last. */
  private void checkSharers() {
    int[] sharers = new int[store.nodes.length];
    int[] lastRow = new int[store.nodes.length];
    for (int row = 0; row < rows.size(); row++) {
      Sequence s = rows.get(row);
      for (int i = 0; i < s.chunkCount; i++) {
        int chunk = s.chunkIds[i];
        require(
            sharers[chunk] == 0 || lastRow[chunk] == row - 1,
            "chunk {} does not cover neighbours",
            chunk);
        sharers[chunk]++;
        lastRow[chunk] = row;
      }
    }
    for (Node node : store.nodes) {
      int found = sharers[node.chunk];
      require(node.sharers == found, "chunk {}: {} sharers found", node.chunk, found);
      Sequence last = found == 0 ? null : rows.get(lastRow[node.chunk]);
      require(node.last == last, "chunk {} does not end with {}", node.chunk, last);
      require(store.sharing || found <= 1, "chunk {} is shared with sharing off", node.chunk);
    }
    for (Node root : store.roots.values()) {
      checkRoot(root);
    }
  }

  private void checkRoot(Node root) {
    int found = 0;
    int lastRow = -1;
    for (int row = 0; row < rows.size(); row++) {
      if (rows.get(row).salt().equals(root.salt)) {
        require(found == 0 || lastRow == row - 1, "tenant '{}' is not contiguous", root.salt);
        found++;
        lastRow = row;
      }
    }
    require(root.sharers == found, "tenant '{}': {} sequences found", root.salt, found);
    Sequence last = found == 0 ? null : rows.get(lastRow);
    require(root.last == last, "tenant '{}' does not end with {}", root.salt, last);
  }

  private void checkPins() {
    int[] found = new int[store.nodes.length];
    for (Pin pin : pins.open()) {
      Node deepest = pin.node;
      if (deepest == null) {
        throw new IllegalStateException("a closed pin is in the table");
      }
      for (Node n = deepest; !n.isRoot(); n = n.parent) {
        require(!store.pool.isFree(n.chunk), "pinned chunk {} is free", n.chunk);
        found[n.chunk]++;
      }
    }
    for (Node node : store.nodes) {
      require(
          node.pins == found[node.chunk],
          "chunk {} counts {} pins, {} found",
          node.chunk,
          node.pins,
          found[node.chunk]);
    }
  }

  private void checkEvictionList() {
    boolean[] seen = new boolean[store.nodes.length];
    int size = 0;
    for (Node node = store.evictable.oldest(); node != null; node = store.evictable.after(node)) {
      require(
          node.parent.isRoot() || !seen[node.parent.chunk],
          "chunk {} would be evicted after its parent",
          node.chunk);
      seen[node.chunk] = true;
      size++;
    }
    require(size == store.evictable.size(), "eviction list: {} nodes found", size);
  }

  private void checkIndex() {
    if (!store.sharing) {
      return;
    }
    int tokens = 0;
    for (Node node : store.nodes) {
      tokens += node.count;
      require(
          node.parent == node || node.seed == store.index.hash(node.parent),
          "chunk {} does not know the hash of its path",
          node.chunk);
      if (node.ready == chunkTokens) {
        int twin = store.index.twin(node, chunkTokens);
        require(twin < 0, "chunks {} and {} are equal siblings", node.chunk, twin);
      }
    }
    store.index.check(tokens);
  }

  /** Throws unless {@code holds}; each {} in the message stands for one of {@code values}. */
  private static void require(boolean holds, String message, @Nullable Object... values) {
    if (holds) {
      return;
    }
    String broken = message;
    for (Object value : values) {
      broken = broken.replaceFirst("\\{}", Matcher.quoteReplacement(String.valueOf(value)));
    }
    throw new IllegalStateException("prefix tree: " + broken);
  }
}
