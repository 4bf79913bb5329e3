package org.chunkllama.cpu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.plan.AttentionPlanner;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvLayout;

/**
 * A cache of random K and V whose unwritten slots are NaN, random queries for some sequences, and
 * what attention must give, in fp64. Values are multiples of 1/32 below 2, exact in all KV types.
 */
final class AttentionCase implements AutoCloseable {
  /** Rows for positions [first, first + count) of the sequence with these chunks. */
  record Sequence(int[] chunks, int first, int count) {}

  final KvLayout layout;
  final int queryHeads;
  final float scale;
  final CpuKvCache cache;
  final List<Sequence> sequences = new ArrayList<>();
  private final SplittableRandom random;

  /** {@code [layer][chunk][slot][K heads | V heads]} */
  private final float[][][][] kv;

  AttentionCase(long seed, KvLayout layout, int queryHeads, int chunks) {
    this.layout = layout;
    this.queryHeads = queryHeads;
    this.scale = (float) (3 / Math.sqrt(layout.headDim()));
    this.cache = new CpuKvCache(layout, chunks);
    this.random = new SplittableRandom(seed);
    this.kv = new float[layout.layers()][chunks][layout.chunkTokens()][];
    for (float[][][] layer : kv) {
      for (float[][] chunk : layer) {
        for (int slot = 0; slot < layout.chunkTokens(); slot++) {
          chunk[slot] = values(2 * layout.kvHeads() * layout.headDim());
        }
      }
    }
    poison();
  }

  static KvLayout layout(int kvHeads, int headDim, int chunkTokens, DType type) {
    return new KvLayout(2, kvHeads, headDim, chunkTokens, type);
  }

  private float[] values(int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = random.nextInt(-63, 64) / 32f;
    }
    return values;
  }

  /** Every slot is NaN in every type. */
  private void poison() {
    long bytes = 2L * layout.layers() * layout.kvHeads() * cache.chunks() * cache.blockBytes();
    NativeMemory.ALL.asSlice(cache.keys(0, 0, 0), bytes).fill((byte) 0xff);
  }

  void add(int[] chunks, int first, int count) {
    sequences.add(new Sequence(chunks, first, count));
  }

  AttentionPlan plan(boolean chunkFirst, int parallelism) {
    AttentionPlanner planner =
        new AttentionPlanner(
            layout.chunkTokens(), parallelism, queryHeads, layout.kvHeads(), chunkFirst);
    planner.begin();
    sequences.forEach(s -> planner.add(s.chunks(), s.first(), s.count()));
    return planner.finish();
  }

  /** Appends every token that some row sees, in one call per layer. */
  void write(CpuAttention attention) {
    boolean[][] seen = new boolean[cache.chunks()][layout.chunkTokens()];
    for (Sequence s : sequences) {
      for (int position = 0; position < s.first() + s.count(); position++) {
        seen[s.chunks()[position / layout.chunkTokens()]][position % layout.chunkTokens()] = true;
      }
    }
    AttentionPlan plan = new AttentionPlan(layout.chunkTokens());
    for (int chunk = 0; chunk < seen.length; chunk++) {
      for (int slot = 0; slot < layout.chunkTokens(); slot++) {
        if (seen[chunk][slot]) {
          plan.ensureRows(plan.rows + 1);
          plan.rowChunk[plan.rows] = chunk;
          plan.rowSlot[plan.rows++] = slot;
        }
      }
    }
    int width = kv[0][0][0].length;
    try (CpuTensor tensor = new CpuTensor(Math.max(1, plan.rows), width)) {
      for (int layer = 0; layer < layout.layers(); layer++) {
        for (int row = 0; row < plan.rows; row++) {
          tensor.write(row, kv[layer][plan.rowChunk[row]][plan.rowSlot[row]], 0);
        }
        attention.append(cache, layer, tensor, 0, plan);
      }
    }
  }

  /** Queries for {@code rows} rows, with K and V columns that attention must not read. */
  CpuTensor queries(int rows) {
    int columns = (queryHeads + 2 * layout.kvHeads()) * layout.headDim();
    CpuTensor tensor = new CpuTensor(rows, columns);
    for (int row = 0; row < rows; row++) {
      float[] values = values(columns);
      Arrays.fill(values, queryHeads * layout.headDim(), columns, Float.NaN);
      tensor.write(row, values, 0);
    }
    return tensor;
  }

  /** {@code [rows][queryHeads * headDim]} */
  double[][] expected(int layer, CpuTensor queries) {
    List<double[]> rows = new ArrayList<>();
    float[] query = new float[queries.columns()];
    for (Sequence s : sequences) {
      for (int position = s.first(); position < s.first() + s.count(); position++) {
        queries.read(rows.size(), query, 0);
        rows.add(expected(layer, query, s.chunks(), position + 1));
      }
    }
    return rows.toArray(double[][]::new);
  }

  private double[] expected(int layer, float[] query, int[] chunks, int tokens) {
    int d = layout.headDim();
    int group = queryHeads / layout.kvHeads();
    double[] out = new double[queryHeads * d];
    for (int head = 0; head < queryHeads; head++) {
      int key = head / group * d;
      int value = key + layout.kvHeads() * d;
      double[] scores = new double[tokens];
      double max = Double.NEGATIVE_INFINITY;
      for (int t = 0; t < tokens; t++) {
        float[] token = token(layer, chunks, t);
        for (int i = 0; i < d; i++) {
          scores[t] += (double) query[head * d + i] * token[key + i] * scale;
        }
        max = Math.max(max, scores[t]);
      }
      double sum = 0;
      for (int t = 0; t < tokens; t++) {
        float[] token = token(layer, chunks, t);
        double weight = Math.exp(scores[t] - max);
        sum += weight;
        for (int i = 0; i < d; i++) {
          out[head * d + i] += weight * token[value + i];
        }
      }
      for (int i = 0; i < d; i++) {
        out[head * d + i] /= sum;
      }
    }
    return out;
  }

  private float[] token(int layer, int[] chunks, int t) {
    return kv[layer][chunks[t / layout.chunkTokens()]][t % layout.chunkTokens()];
  }

  @Override
  public void close() {
    cache.close();
  }
}
