package org.chunkllama;

import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.error.PoolExhaustedException;
import org.chunkllama.plan.AttentionPlanner;
import org.chunkllama.prefix.PrefixStats;
import org.chunkllama.prefix.PrefixTree;
import org.chunkllama.prefix.Sequence;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.Backends;
import org.chunkllama.spi.KvCache;

/**
 * ChunkAttention without a model: one layer's keys and values in a prefix tree, and two-phase
 * attention over them. For people who compute K, V and queries themselves.
 *
 * <pre>{@code
 * try (var attention = ChunkAttention.open(ChunkAttentionOptions.of(32, 8, 128))) {
 *   long a = attention.add(tokens, k, v);     // [tokens][kvHeads][headDim]
 *   long b = attention.add(others, k2, v2);   // stores only what differs from the first
 *   attention.attend(queries, out);           // [2][queryHeads][headDim]
 *   attention.append(a, token, k3, v3);
 *   attention.remove(b);
 * }
 * }</pre>
 *
 * <p>Sequences that begin with the same tokens share K and V, so K and V of a token must depend on
 * nothing but the tokens up to it. K, V, queries and results are float arrays, or memory segments
 * of as many floats in native byte order. Lengths must be exact.
 *
 * <p><b>Threads.</b> Not thread-safe: one thread at a time, and each call must happen before the
 * next. The work of a call is spread over the backend's threads.
 *
 * <p><b>Errors.</b> Unknown ids and wrong lengths are an {@link InvalidRequestException}, no room
 * an {@link PoolExhaustedException}; either leaves all sequences as they were.
 */
public final class ChunkAttention implements AutoCloseable {
  private final Backend backend;
  private final KvCache cache;
  private final AttentionRows rows;
  private final PrefixTree tree;
  private final AttentionPlanner planner;
  private final RowOrder order;
  private final Map<Long, Sequence> sequences = new LinkedHashMap<>();
  private boolean closed;

  private ChunkAttention(ChunkAttentionOptions options, Backend backend, KvCache cache) {
    this.backend = backend;
    this.cache = cache;
    this.rows = new AttentionRows(backend, cache, options.queryHeads(), options.scale());
    this.tree =
        new PrefixTree(
            options.chunks(),
            options.chunkTokens(),
            cache::copy,
            System::nanoTime,
            options.sharing());
    this.planner =
        new AttentionPlanner(
            options.chunkTokens(),
            backend.parallelism(),
            options.queryHeads(),
            options.kvHeads(),
            options.sharing(),
            backend.planCosts(cache.layout(), options.queryHeads()));
    this.order = new RowOrder(tree);
  }

  /**
   * Opens a backend and takes the pool's memory.
   *
   * @throws InvalidRequestException if there is no such backend, or it cannot do this shape
   * @throws OutOfMemoryError if there is not that much memory
   */
  public static ChunkAttention open(ChunkAttentionOptions options) {
    BackendOptions how = BackendOptions.defaults().withThreads(options.threads());
    Backend backend = Backends.open(options.backend(), how);
    try {
      KvCache cache = backend.kvCache(options.layout(), options.chunks());
      try {
        return new ChunkAttention(options, backend, cache);
      } catch (RuntimeException | Error e) {
        cache.close();
        throw e;
      }
    } catch (IllegalArgumentException e) {
      backend.close();
      throw new InvalidRequestException(String.valueOf(e.getMessage()), e);
    } catch (RuntimeException | Error e) {
      backend.close();
      throw e;
    }
  }

  /** Leading tokens of a prompt whose K and V are here already; at most all but the last. */
  public int match(int[] tokens) {
    checkOpen();
    checkPrompt(tokens);
    return tree.match(tokens, tokens.length, "").readyTokens();
  }

  /**
   * Adds a sequence. K and V of a prefix that is here already are not stored again.
   *
   * @param tokens 1 or more
   * @param k {@code [tokens][kvHeads][headDim]}
   * @param v {@code [tokens][kvHeads][headDim]}
   * @return the sequence's id, stable and never used again
   * @throws PoolExhaustedException if there is no room even after eviction
   */
  public long add(int[] tokens, float[] k, float[] v) {
    return add(tokens, 0, MemorySegment.ofArray(k), MemorySegment.ofArray(v));
  }

  /**
   * The same with K and V of the tokens from {@code first} on: those before are here, as {@link
   * #match} has told.
   *
   * @param first 0 to {@code match(tokens)}
   * @param k {@code [tokens - first][kvHeads][headDim]}
   * @param v {@code [tokens - first][kvHeads][headDim]}
   */
  public long add(int[] tokens, int first, MemorySegment k, MemorySegment v) {
    int matched = match(tokens);
    if (first < 0 || first > matched) {
      throw new InvalidRequestException(
          "K and V of the first %d tokens are left out, of %d they are here"
              .formatted(first, matched));
    }
    rows.check("k", k, tokens.length - first, false);
    rows.check("v", v, tokens.length - first, false);
    Sequence s = tree.insert(tokens, tokens.length, "");
    if (s.reused() < first) { // the pool's last chunk: the tokens inside it had to give way
      int reused = s.reused();
      tree.remove(s);
      throw new PoolExhaustedException(
          "no room to keep more than %d of the %d tokens left out: add all K and V, or enlarge the pool"
              .formatted(reused, first));
    }
    for (int i = s.reused(); i < tokens.length; i++) {
      writeKv(s, i, k, v, i - first);
    }
    rows.flush();
    tree.computed(s, tokens.length);
    sequences.put(s.id(), s);
    return s.id();
  }

  /** Tokens of the sequence's first {@link #add} whose K and V were here already. */
  public int reused(long id) {
    return find(id).reused();
  }

  /** Tokens of a sequence. */
  public int length(long id) {
    return find(id).length();
  }

  /** Ids of all live sequences, in the order in which they were added or forked. */
  public long[] ids() {
    checkOpen();
    long[] ids = new long[sequences.size()];
    int i = 0;
    for (long id : sequences.keySet()) {
      ids[i++] = id;
    }
    return ids;
  }

  /**
   * Adds one token to a sequence.
   *
   * @param k {@code [kvHeads][headDim]}
   * @param v {@code [kvHeads][headDim]}
   * @throws PoolExhaustedException if it takes a chunk and there is none
   */
  public void append(long id, int token, float[] k, float[] v) {
    append(new long[] {id}, new int[] {token}, k, v);
  }

  /**
   * Adds one token to each of some sequences, or to none if there is no room for all.
   *
   * @param ids different ones
   * @param tokens {@code [ids]}
   * @param k {@code [ids][kvHeads][headDim]}
   * @param v {@code [ids][kvHeads][headDim]}
   */
  public void append(long[] ids, int[] tokens, float[] k, float[] v) {
    append(ids, tokens, MemorySegment.ofArray(k), MemorySegment.ofArray(v));
  }

  /** The same from memory segments. */
  public void append(long[] ids, int[] tokens, MemorySegment k, MemorySegment v) {
    checkOpen();
    if (tokens.length != ids.length) {
      throw new InvalidRequestException(
          "%d tokens for %d sequences".formatted(tokens.length, ids.length));
    }
    rows.check("k", k, ids.length, false);
    rows.check("v", v, ids.length, false);
    order.order(ids, sequences);
    checkRoom();
    for (int i = 0; i < ids.length; i++) {
      Sequence s = find(ids[i]);
      tree.append(s, tokens[i]);
      writeKv(s, s.length() - 1, k, v, i);
    }
    rows.flush();
    for (long id : ids) {
      Sequence s = find(id);
      tree.computed(s, s.length());
    }
  }

  private void writeKv(Sequence s, int position, MemorySegment k, MemorySegment v, long index) {
    int c = tree.chunkTokens();
    rows.writeKv(k, v, index, s.chunkIds()[position / c], position % c);
  }

  private void checkRoom() {
    int available = tree.available();
    // A token takes at most one chunk, so most often there is nothing to count.
    int needed = available >= order.rows() ? 0 : order.chunksForATokenEach();
    if (needed > available) {
      throw new PoolExhaustedException(
          "%d chunks needed to add a token to %d sequences, %d left: remove some or enlarge the pool"
              .formatted(needed, order.rows(), available));
    }
  }

  /**
   * Attention of one query row per live sequence over all its tokens.
   *
   * @param q {@code [sequences][queryHeads][headDim]}, sequences in the order of {@link #ids}
   * @param out {@code [sequences][queryHeads][headDim]}, in the same order
   */
  public void attend(float[] q, float[] out) {
    attend(ids(), q, out);
  }

  /**
   * The same for some sequences.
   *
   * @param ids different ones, in any order
   * @param q {@code [ids][queryHeads][headDim]}
   * @param out {@code [ids][queryHeads][headDim]}
   */
  public void attend(long[] ids, float[] q, float[] out) {
    attend(ids, MemorySegment.ofArray(q), MemorySegment.ofArray(out));
  }

  /** The same over memory segments. */
  public void attend(long[] ids, MemorySegment q, MemorySegment out) {
    checkOpen();
    rows.check("q", q, ids.length, true);
    checkOut(out, ids.length);
    order.order(ids, sequences);
    rows.ensure(ids.length);
    planner.begin();
    for (int row = 0; row < order.rows(); row++) {
      Sequence s = order.sequence(row);
      planner.add(s.chunkIds(), s.length() - 1, 1);
      rows.writeQuery(row, q, order.callerIndex(row));
    }
    rows.attend(planner.finish());
    for (int row = 0; row < order.rows(); row++) {
      rows.readResult(row, out, order.callerIndex(row));
    }
  }

  /**
   * Attention of several query rows of one sequence, each over the tokens up to its own: what a
   * model computes for a prompt, or for the part of it that {@link #match} did not find.
   *
   * @param first position of the first row; the rows end with the sequence
   * @param q {@code [length - first][queryHeads][headDim]}
   * @param out {@code [length - first][queryHeads][headDim]}
   */
  public void attendFrom(long id, int first, float[] q, float[] out) {
    attendFrom(id, first, MemorySegment.ofArray(q), MemorySegment.ofArray(out));
  }

  /** The same over memory segments. */
  public void attendFrom(long id, int first, MemorySegment q, MemorySegment out) {
    Sequence s = find(id);
    if (first < 0 || first >= s.length()) {
      throw new InvalidRequestException(
          "sequence %d has positions 0 to %d, not %d".formatted(id, s.length() - 1, first));
    }
    rows.check("q", q, s.length() - first, true);
    checkOut(out, s.length() - first);
    for (int from = first; from < s.length(); from += AttentionRows.BATCH) {
      int count = Math.min(AttentionRows.BATCH, s.length() - from);
      planner.begin();
      planner.add(s.chunkIds(), from, count);
      for (int row = 0; row < count; row++) {
        rows.writeQuery(row, q, from - first + row);
      }
      rows.attend(planner.finish());
      for (int row = 0; row < count; row++) {
        rows.readResult(row, out, from - first + row);
      }
    }
  }

  private void checkOut(MemorySegment out, long vectors) {
    rows.check("out", out, vectors, true);
    if (out.isReadOnly()) {
      throw new InvalidRequestException("out is a read-only memory segment");
    }
  }

  /**
   * Adds a sequence with the same tokens, which shares everything until one of the two grows.
   *
   * @return the new sequence's id
   * @throws PoolExhaustedException only if sharing is off
   */
  public long fork(long id) {
    Sequence s = tree.fork(find(id));
    sequences.put(s.id(), s);
    return s.id();
  }

  /** Ends a sequence. Its chunks are kept for later prompts until room is needed. */
  public void remove(long id) {
    tree.remove(find(id));
    sequences.remove(id);
  }

  public ChunkAttentionStats stats() {
    checkOpen();
    long tokens = 0;
    for (Sequence s : sequences.values()) {
      tokens += s.length();
    }
    PrefixStats prefix = tree.stats();
    return new ChunkAttentionStats(
        sequences.size(),
        tokens,
        tree.chunksFree(),
        tree.chunksLive(),
        tree.chunksRetained(),
        tree.chunksLiveUnshared(),
        cache.layout().bytesPerChunk(),
        prefix.tokensQueried(),
        prefix.tokensReused());
  }

  private Sequence find(long id) {
    checkOpen();
    Sequence s = sequences.get(id);
    if (s == null) {
      throw RowOrder.unknown(id);
    }
    return s;
  }

  private static void checkPrompt(int[] tokens) {
    if (tokens.length == 0) {
      throw new InvalidRequestException("a sequence needs at least one token");
    }
  }

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("this ChunkAttention is closed");
    }
  }

  /** Gives back all memory. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      rows.close();
      cache.close();
      backend.close();
    }
  }
}
