package org.chunkllama.prefix;

import java.util.Arrays;
import java.util.Objects;
import org.chunkllama.error.PoolExhaustedException;
import org.jspecify.annotations.Nullable;

/**
 * Lays sequences onto paths of nodes, lengthens them and takes them off. All changes of who shares
 * what happen here. Each method makes sure of room before it changes anything, so one that throws
 * has changed nothing.
 */
final class Paths {
  private final ChunkStore store;
  private final ChunkCopier copier;
  private final int chunkTokens;
  final SequenceOrder order = new SequenceOrder();
  final Counters counters = new Counters();
  private long ids;

  /** Changes whenever the order of sequences or one's chunks change. */
  long version;

  Paths(ChunkStore store, ChunkCopier copier) {
    this.store = store;
    this.copier = copier;
    this.chunkTokens = store.chunkTokens;
  }

  /**
   * Chunks available to a sequence on the path down to {@code node}: those of the path itself are
   * not victims.
   */
  int availableBeside(Node node) {
    return store.available() - unheldAbove(node);
  }

  private static int unheldAbove(Node node) {
    int onPath = 0;
    for (Node n = node; !n.isRoot() && !n.isHeld(); n = n.parent) {
      onPath++;
    }
    return onPath;
  }

  /** Chunks that an insert of {@code count} tokens would hold and nothing holds now. */
  int newlyHeld(PrefixWalk match, int count) {
    return store.chunksFor(count) - match.chunks + unheldAbove(match.node);
  }

  /**
   * A new sequence on the path that {@code match} found.
   *
   * @throws PoolExhaustedException if there is no room
   */
  Sequence insert(PrefixWalk match, int[] tokens, int count, String salt, ChunkUsage usage) {
    int needed = store.chunksFor(count) - match.chunks;
    int available = availableBeside(match.node);
    if (needed > available) {
      throw store.exhausted(needed, available);
    }
    Node source = match.source;
    // a retained chunk that ends where the match ends is continued in place; nobody else can miss
    // anything
    boolean extend = source != null && source.sharers == 0 && source.count == match.overlap;
    if (source != null && !extend && needed == available && store.evictable.contains(source)) {
      source = null; // the only chunk left to evict: it is written over, not copied from
    }
    int reused = match.chunks * chunkTokens + (source == null ? 0 : match.overlap);
    Sequence place = order.placeBelow(match.node);
    Sequence s =
        new Sequence(store, ids++, salt, reused, usage, new int[store.chunksFor(count) + 1]);
    shareWhole(s, match.node);
    if (source == null) {
      store.makeRoom(needed);
    } else if (extend) {
      store.share(source, 1, usage);
      store.makeRoom(needed - 1);
      s.addChunk(source.chunk);
      s.length = reused;
    } else {
      store.pin(source, usage); // no victim while it is copied from
      store.makeRoom(needed);
    }
    lengthen(s, tokens, count);
    if (source != null && !extend) {
      copy(source, s.node(match.chunks), match.overlap);
      counters.tokensCopied += match.overlap;
      store.unpin(source);
    }
    s.computed = reused;
    join(s, place);
    counters.sequencesInserted++;
    counters.tokensQueried += count;
    counters.tokensReused += reused;
    return s;
  }

  /**
   * Adds a token to the end.
   *
   * @throws PoolExhaustedException if a chunk is needed and there is no room
   */
  void append(Sequence s, int token) {
    Node tail = s.lastNode();
    if (tail.count == chunkTokens) {
      store.makeRoom(1);
      tail = addNode(s);
      tail.last = s;
      counters.unshared++;
      changed();
    } else if (tail.sharers > 1) {
      store.makeRoom(1);
      tail = separate(s, tail);
      changed();
    }
    store.add(tail, token);
    s.length++;
  }

  /**
   * Marks the first {@code tokens} tokens ready, and merges each chunk that this makes the equal of
   * a sibling.
   */
  void advance(Sequence s, int tokens) {
    for (int i = s.computed / chunkTokens; i * chunkTokens < tokens; i++) {
      Node node = s.node(i);
      int ready = Math.min(chunkTokens, tokens - i * chunkTokens);
      if (ready > node.ready) {
        store.makeReady(node, ready);
        int twin = ready == chunkTokens && store.sharing ? store.index.twin(node, chunkTokens) : -1;
        if (twin >= 0) {
          merge(node, store.nodes[twin]);
        }
      }
    }
    s.computed = tokens;
  }

  /**
   * A second sequence with the same tokens, right behind {@code s}.
   *
   * @throws PoolExhaustedException if sharing is off and there is no room for a copy
   */
  Sequence fork(Sequence s) {
    Sequence t =
        new Sequence(
            store,
            ids,
            s.salt(),
            s.reused(),
            s.usage,
            Arrays.copyOf(s.chunkIds, s.chunkIds.length));
    if (store.sharing) {
      shareWhole(t, s.lastNode());
      t.length = s.length;
    } else {
      store.makeRoom(s.chunkCount);
      lengthen(t, s.tokens(), s.length);
      for (int i = 0; i < s.chunkCount; i++) {
        copy(s.node(i), t.node(i), s.node(i).ready);
      }
    }
    ids++;
    t.computed = s.computed;
    join(t, s);
    return t;
  }

  /** Takes a sequence out; what it alone held is retained if computed, else freed. */
  void remove(Sequence s) {
    Sequence previous = s.previous;
    Node node = s.lastNode();
    while (true) {
      Node parent = node.parent;
      if (node.last == s) {
        node.last = node.sharers > 1 ? previous : null;
      }
      if (node.isRoot()) {
        node.sharers--;
        break;
      }
      store.release(node);
      node = parent;
    }
    order.remove(s);
    counters.unshared -= s.chunkCount;
    s.removed = true;
    s.length = 0;
    s.computed = 0;
    s.chunkCount = 0;
    version++;
  }

  /** Puts {@code s} on the path from the root down to {@code deepest}. */
  private void shareWhole(Sequence s, Node deepest) {
    for (Node n = deepest; !n.isRoot(); n = n.parent) {
      store.share(n, 1, s.usage);
      s.chunkIds[n.depth] = n.chunk;
    }
    s.chunkCount = deepest.depth + 1;
    s.length = s.chunkCount * chunkTokens;
  }

  /** Adds {@code tokens[s.length, count)}, to the last chunk and as many new ones as it takes. */
  private void lengthen(Sequence s, int[] tokens, int count) {
    while (s.length < count) {
      Node node = s.length == s.chunkCount * chunkTokens ? addNode(s) : s.lastNode();
      int end = Math.min(count, s.chunkCount * chunkTokens);
      while (s.length < end) {
        store.add(node, tokens[s.length++]);
      }
    }
  }

  private Node addNode(Sequence s) {
    Node node = store.allocate(s.chunkCount == 0 ? store.root(s.salt()) : s.lastNode(), s.usage);
    s.addChunk(node.chunk);
    return node;
  }

  /**
   * Puts a complete sequence in order, behind {@code place}, and at the end of the nodes that end
   * there.
   */
  private void join(Sequence s, @Nullable Sequence place) {
    order.add(s, place);
    Node node = s.lastNode();
    while (true) {
      if (node.isRoot()) {
        node.sharers++;
      }
      if (node.sharers == 1 || node.last == place) {
        node.last = s;
      }
      if (node.isRoot()) {
        break;
      }
      node = node.parent;
    }
    counters.unshared += s.chunkCount;
    changed();
  }

  /** Gives {@code s} its own copy of a partly filled chunk that it shares since a fork. */
  private Node separate(Sequence s, Node shared) {
    Node own = store.allocate(shared.parent, s.usage);
    for (int i = 0; i < shared.count; i++) {
      store.add(own, shared.tokens[i]);
    }
    copy(shared, own, shared.ready);
    Sequence end = Objects.requireNonNull(shared.last);
    if (end == s) {
      shared.last = s.previous;
    } else if (s.previous != null && s.previous.sharesNode(shared)) {
      order.move(s, s, end, shared.parent); // out of the middle of the others
    }
    store.release(shared);
    own.last = s;
    s.chunkIds[s.chunkCount - 1] = own.chunk;
    return own;
  }

  /** Moves all sequences of {@code node} to its equal {@code twin} and frees it. */
  private void merge(Node node, Node twin) {
    Sequence to = Objects.requireNonNull(node.last);
    Sequence from = to;
    redirect(from, node, twin);
    for (int i = 1; i < node.sharers; i++) {
      from = Objects.requireNonNull(from.previous);
      redirect(from, node, twin);
    }
    twin.children += node.children;
    node.children = 0;
    if (twin.last != null) {
      order.move(from, to, twin.last, twin.parent);
    }
    store.share(twin, node.sharers, ChunkStore.usage(node));
    twin.last = to;
    store.dissolve(node);
    counters.chunksMerged++;
    version++;
  }

  private static void redirect(Sequence s, Node node, Node twin) {
    s.chunkIds[node.depth] = twin.chunk;
    if (s.chunkCount > node.depth + 1) {
      s.node(node.depth + 1).parent = twin;
    }
  }

  private void copy(Node from, Node to, int slots) {
    if (slots > 0) {
      copier.copy(from.chunk, to.chunk, slots);
      store.makeReady(to, slots);
      counters.chunkCopies++;
    }
  }

  private void changed() {
    version++;
    counters.live(store.live());
  }
}
