package org.chunkllama.contract;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.chunkllama.contract.Forest.Sequence;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * A KV cache of a backend beside a plain copy of what was written to it. Every slot is NaN until it
 * is written, and so are the parts of query rows that must not be read.
 */
final class AttentionFixture implements AutoCloseable {
  private static final int BATCH = 64;

  final Backend backend;
  final KvCache cache;
  private final KvLayout layout;
  private final int queryHeads;
  private final int columns;
  private final int kvColumns;
  private final float scale;

  /** {@code [layer][chunk][slot]}: K and V of all heads as the cache's type stores them. */
  private float[] @Nullable [][][] stored;

  /** The same as it was given. */
  private final float[] @Nullable [][][] given;

  private final Tensor rows;
  private final AttentionPlan writes;
  private final List<float[]> pending = new ArrayList<>();

  AttentionFixture(Backend backend, KvLayout layout, int chunks, int queryHeads) {
    this.backend = backend;
    this.layout = layout;
    this.queryHeads = queryHeads;
    this.kvColumns = 2 * layout.kvHeads() * layout.headDim();
    this.columns = queryHeads * layout.headDim() + kvColumns;
    this.scale = (float) (1 / Math.sqrt(layout.headDim()));
    this.cache = backend.kvCache(layout, chunks);
    this.stored = new float[layout.layers()][chunks][layout.chunkTokens()][];
    this.given = new float[layout.layers()][chunks][layout.chunkTokens()][];
    this.rows = backend.tensor(BATCH, columns);
    this.writes = new AttentionPlan(layout.chunkTokens());
    float[] poison = Numbers.filled(kvColumns, Float.NaN);
    for (int layer = 0; layer < layout.layers(); layer++) {
      for (int chunk = 0; chunk < chunks; chunk++) {
        for (int slot = 0; slot < layout.chunkTokens(); slot++) {
          append(layer, chunk, slot, poison);
        }
      }
      flush(layer);
    }
  }

  /** K and V of all heads of one token, {@code [K or V][kv head][head dim]}. */
  void write(int layer, int chunk, int slot, float[] kv) {
    stored[layer][chunk][slot] = Numbers.rounded(kv, layout.type(), layout.headDim());
    given[layer][chunk][slot] = kv.clone();
    append(layer, chunk, slot, kv);
  }

  /** From now on {@link #expected} is told from the numbers that were given, not as stored. */
  void expectAsGiven() {
    stored = given;
  }

  /** What {@link #write} stored, for a copy inside the cache. */
  void copied(int from, int to, int slots) {
    for (float[][][] layer : stored) {
      System.arraycopy(layer[from], 0, layer[to], 0, slots);
    }
  }

  private void append(int layer, int chunk, int slot, float[] kv) {
    int row = pending.size();
    pending.add(kv);
    writes.rowChunk[row] = chunk;
    writes.rowSlot[row] = slot;
    if (pending.size() == BATCH) {
      flush(layer);
    }
  }

  /** Sends what was written to the cache; call before changing the layer. */
  void flush(int layer) {
    for (int r = 0; r < pending.size(); r++) {
      float[] row = Numbers.filled(columns, Float.NaN);
      System.arraycopy(pending.get(r), 0, row, columns - kvColumns, kvColumns);
      rows.write(r, row, 0);
    }
    writes.rows = pending.size();
    writes.version++;
    backend.append(cache, layer, rows, writes);
    pending.clear();
  }

  /** Random K and V for every token that the forest's sequences have, all layers. */
  void fill(SplittableRandom random, Forest forest) {
    for (int layer = 0; layer < layout.layers(); layer++) {
      for (Sequence sequence : forest.sequences()) {
        for (int position = 0; position < sequence.end(); position++) {
          int chunk = sequence.path()[position / layout.chunkTokens()];
          int slot = position % layout.chunkTokens();
          if (stored[layer][chunk][slot] == null) {
            write(layer, chunk, slot, Numbers.gaussian(random, kvColumns));
          }
        }
      }
      flush(layer);
    }
  }

  /** Queries for the rows of a plan, {@code [rows][queryHeads][headDim]}. */
  float[] queries(SplittableRandom random, int count) {
    return Numbers.gaussian(random, count * queryHeads * layout.headDim());
  }

  /** The backend's answer, {@code [rows][queryHeads][headDim]}. */
  float[] attend(int layer, AttentionPlan plan, float[] queries) {
    int width = queryHeads * layout.headDim();
    float[] result = new float[plan.rows * width];
    try (Tensor out = backend.tensor(Math.max(1, plan.rows), width)) {
      for (int r = 0; r < plan.rows; r++) {
        out.write(r, Numbers.filled(width, Float.NaN), 0);
      }
      attend(layer, plan, queries, out);
      for (int r = 0; r < plan.rows; r++) {
        out.read(r, result, r * width);
      }
    }
    return result;
  }

  /** The backend's answer to {@code out}, {@code [rows or more][queryHeads * headDim]}. */
  void attend(int layer, AttentionPlan plan, float[] queries, Tensor out) {
    int width = queryHeads * layout.headDim();
    float[] row = Numbers.filled(columns, Float.NaN);
    try (Tensor qkv = backend.tensor(Math.max(1, plan.rows), columns)) {
      for (int r = 0; r < plan.rows; r++) {
        System.arraycopy(queries, r * width, row, 0, width);
        qkv.write(r, row, 0);
      }
      backend.attention(cache, layer, qkv, queryHeads, scale, plan, out);
    }
  }

  /** The right answer, {@code [rows][queryHeads][headDim]}. */
  double[] expected(int layer, List<Sequence> sequences, float[] queries) {
    int width = queryHeads * layout.headDim();
    double[] expected = new double[queries.length];
    int row = 0;
    for (Sequence sequence : sequences) {
      for (int i = 0; i < sequence.rows(); i++, row++) {
        int tokens = sequence.firstPosition() + i + 1;
        for (int head = 0; head < queryHeads; head++) {
          int at = row * width + head * layout.headDim();
          head(layer, sequence.path(), tokens, head, queries, at, expected);
        }
      }
    }
    return expected;
  }

  private void head(
      int layer, int[] path, int tokens, int head, float[] queries, int at, double[] out) {
    int d = layout.headDim();
    int key = head / (queryHeads / layout.kvHeads()) * d;
    int value = kvColumns / 2 + key;
    double[] weight = new double[tokens];
    double max = Double.NEGATIVE_INFINITY;
    for (int t = 0; t < tokens; t++) {
      float[] kv = token(layer, path, t);
      for (int i = 0; i < d; i++) {
        weight[t] += (double) queries[at + i] * kv[key + i];
      }
      weight[t] *= scale;
      max = Math.max(max, weight[t]);
    }
    if (max == Double.NEGATIVE_INFINITY) {
      return; // nothing has any weight: zeros
    }
    double sum = 0;
    for (int t = 0; t < tokens; t++) {
      weight[t] = Math.exp(weight[t] - max);
      sum += weight[t];
    }
    for (int t = 0; t < tokens; t++) {
      float[] kv = token(layer, path, t);
      for (int i = 0; i < d; i++) {
        out[at + i] += weight[t] / sum * kv[value + i];
      }
    }
  }

  private float[] token(int layer, int[] path, int position) {
    int c = layout.chunkTokens();
    float[] kv = stored[layer][path[position / c]][position % c];
    if (kv == null) {
      throw new AssertionError("the test reads a slot that nobody wrote");
    }
    return kv;
  }

  @Override
  public void close() {
    rows.close();
    cache.close();
  }
}
