package org.chunkllama.prefix;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.chunkllama.prefix.TreeSnapshot.Run;
import org.jspecify.annotations.Nullable;

/**
 * Draws up a {@link TreeSnapshot}. Nodes know their parents only, so the way down is collected
 * here.
 */
final class SnapshotBuilder {
  private record Visit(Node node, int parent, int depth) {}

  private final ChunkStore store;
  private final boolean withTokens;
  private final Map<Node, List<Node>> children = new HashMap<>();
  private final Map<Sequence, Integer> rows = new HashMap<>();
  private final List<Run> runs = new ArrayList<>();

  private SnapshotBuilder(ChunkStore store, SequenceOrder order, boolean withTokens) {
    this.store = store;
    this.withTokens = withTokens;
    for (Sequence s = order.first; s != null; s = s.next) {
      rows.put(s, rows.size());
    }
    for (Node node : store.nodes) {
      if (!store.pool.isFree(node.chunk)) {
        children.computeIfAbsent(node.parent, n -> new ArrayList<>()).add(node);
      }
    }
    Comparator<Node> liveInOrder = Comparator.comparingInt(n -> row(n.last));
    children.values().forEach(nodes -> nodes.sort(liveInOrder.thenComparingInt(n -> n.chunk)));
  }

  static TreeSnapshot build(ChunkStore store, SequenceOrder order, boolean withTokens) {
    List<Run> runs = new SnapshotBuilder(store, order, withTokens).runs();
    return new TreeSnapshot(
        store.chunkTokens,
        store.pool.total(),
        store.pool.free(),
        store.live(),
        store.retained(),
        List.copyOf(runs));
  }

  private List<Run> runs() {
    List<Node> roots = new ArrayList<>(store.roots.values());
    roots.sort(Comparator.<Node>comparingInt(n -> row(n.last)).thenComparing(n -> n.salt));
    for (Node root : roots) {
      addBelow(root);
    }
    return runs;
  }

  private void addBelow(Node root) {
    Deque<Visit> open = new ArrayDeque<>();
    push(open, root, -1, 0);
    while (!open.isEmpty()) {
      Visit visit = open.pop();
      List<Node> chain = chain(visit.node());
      push(open, chain.getLast(), runs.size(), visit.depth() + 1);
      runs.add(run(visit, chain, root.salt));
    }
  }

  private void push(Deque<Visit> open, Node above, int parent, int depth) {
    for (Node child : childrenOf(above).reversed()) {
      open.push(new Visit(child, parent, depth));
    }
  }

  private List<Node> chain(Node top) {
    List<Node> chain = new ArrayList<>(List.of(top));
    List<Node> below = childrenOf(top);
    while (below.size() == 1 && isAlike(below.getFirst(), top)) {
      chain.add(below.getFirst());
      below = childrenOf(below.getFirst());
    }
    return chain;
  }

  private Run run(Visit visit, List<Node> chain, String salt) {
    Node top = visit.node();
    int[] tokenIds = new int[chain.size() * store.chunkTokens];
    int tokens = 0;
    for (Node node : chain) {
      System.arraycopy(node.tokens, 0, tokenIds, tokens, node.count);
      tokens += node.count;
    }
    return new Run(
        visit.parent(),
        visit.depth(),
        salt,
        top.depth * store.chunkTokens,
        tokens,
        chain.size(),
        sharers(top),
        top.pins > 0,
        isInFlight(top),
        Arrays.copyOf(tokenIds, withTokens ? tokens : 0));
  }

  private static long[] sharers(Node node) {
    long[] ids = new long[node.sharers];
    Sequence s = node.last;
    for (int i = ids.length - 1; i >= 0 && s != null; i--) {
      ids[i] = s.id();
      s = s.previous;
    }
    return ids;
  }

  private static boolean isAlike(Node a, Node b) {
    return a.sharers == b.sharers && a.pins > 0 == b.pins > 0 && isInFlight(a) == isInFlight(b);
  }

  private static boolean isInFlight(Node node) {
    return node.ready < node.count;
  }

  private List<Node> childrenOf(Node node) {
    return children.getOrDefault(node, List.of());
  }

  private int row(@Nullable Sequence last) {
    return last == null ? Integer.MAX_VALUE : rows.getOrDefault(last, Integer.MAX_VALUE);
  }
}
