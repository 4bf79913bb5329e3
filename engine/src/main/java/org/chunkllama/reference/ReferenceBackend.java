package org.chunkllama.reference;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.spi.Arguments;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.Matrix;
import org.chunkllama.spi.RotaryTable;
import org.chunkllama.spi.Tensor;
import org.chunkllama.spi.WeightTensor;
import org.jspecify.annotations.Nullable;

/** Plain loops on the calling thread; sums in double precision whatever precision was asked for. */
final class ReferenceBackend implements Backend {
  private static final Arguments<ReferenceTensor, ReferenceMatrix, ReferenceKvCache> OURS =
      new Arguments<>(ReferenceTensor.class, ReferenceMatrix.class, ReferenceKvCache.class);

  @Override
  public String name() {
    return ReferenceBackendProvider.NAME;
  }

  @Override
  public String description() {
    return "reference: plain loops, 1 thread, sums in double precision, weights read in place";
  }

  @Override
  public int parallelism() {
    return 1;
  }

  @Override
  public Tensor tensor(int rows, int columns) {
    return new ReferenceTensor(rows, columns);
  }

  @Override
  public Matrix matrix(List<WeightTensor> parts) {
    return new ReferenceMatrix(parts);
  }

  @Override
  public Set<DType> kvTypes() {
    return EnumSet.of(DType.F32, DType.BF16, DType.F16, DType.F8, DType.I8);
  }

  @Override
  public KvCache kvCache(KvLayout layout, int chunks) {
    return new ReferenceKvCache(layout, chunks);
  }

  @Override
  public void embed(Matrix table, int[] tokens, int count, Tensor out) {
    ReferenceMatrix rows = OURS.matrix(table);
    ReferenceTensor to = OURS.tensor("out", out, count, rows.inputs());
    Arguments.indices("token", tokens, count, rows.outputs());
    for (int i = 0; i < count; i++) {
      rows.row(tokens[i], to.data, to.at(i));
    }
  }

  @Override
  public void rmsNorm(Tensor in, int rows, Tensor weight, float epsilon, Tensor out) {
    Arguments.distinct(in, out);
    ReferenceTensor from = OURS.tensor("in", in, rows);
    int n = from.columns();
    ReferenceTensor w = OURS.tensor("weight", weight, 1, n);
    ReferenceTensor to = OURS.tensor("out", out, rows, n);
    for (int r = 0; r < rows; r++) {
      norm(from.data, from.at(r), n, w.data, epsilon, to.data, to.at(r));
    }
  }

  @Override
  public void headNorm(
      Tensor inOut, int rows, int firstColumn, int heads, Tensor weight, float epsilon) {
    ReferenceTensor x = OURS.tensor("inOut", inOut, rows);
    int n = weight.columns();
    ReferenceTensor w = OURS.tensor("weight", weight, 1, n);
    Arguments.heads(x, firstColumn, heads, n);
    for (int r = 0; r < rows; r++) {
      for (int head = 0; head < heads; head++) {
        int at = x.at(r) + firstColumn + head * n;
        norm(x.data, at, n, w.data, epsilon, x.data, at);
      }
    }
  }

  private static void norm(
      float[] in, int from, int n, float[] weight, float epsilon, float[] out, int to) {
    double squares = 0;
    for (int i = 0; i < n; i++) {
      squares += (double) in[from + i] * in[from + i];
    }
    double factor = 1 / Math.sqrt(squares / n + epsilon);
    for (int i = 0; i < n; i++) {
      out[to + i] = (float) (in[from + i] * factor * weight[i]);
    }
  }

  @Override
  public void linear(
      Matrix w, @Nullable Tensor bias, Tensor in, int rows, Tensor out, boolean add) {
    Arguments.distinct(in, out);
    ReferenceMatrix weight = OURS.matrix(w);
    ReferenceTensor from = OURS.tensor("in", in, rows, weight.inputs());
    ReferenceTensor to = OURS.tensor("out", out, rows, weight.outputs());
    ReferenceTensor b = bias == null ? null : OURS.tensor("bias", bias, 1, weight.outputs());
    float[] row = new float[weight.inputs()];
    for (int o = 0; o < weight.outputs(); o++) {
      weight.row(o, row, 0);
      double start = b == null ? 0 : b.data[o];
      for (int r = 0; r < rows; r++) {
        int at = to.at(r) + o;
        double sum = start + dot(row, from.data, from.at(r));
        to.data[at] = (float) (add ? to.data[at] + sum : sum);
      }
    }
  }

  private static double dot(float[] a, float[] b, int offset) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[offset + i];
    }
    return sum;
  }

  @Override
  public void siluGate(Tensor gateUp, int rows, Tensor out) {
    ReferenceTensor to = OURS.tensor("out", out, rows);
    int n = to.columns();
    ReferenceTensor from = OURS.tensor("gateUp", gateUp, rows, 2 * n);
    for (int r = 0; r < rows; r++) {
      for (int j = 0; j < n; j++) {
        double gate = from.data[from.at(r) + j];
        double up = from.data[from.at(r) + n + j];
        to.data[to.at(r) + j] = (float) (gate / (1 + Math.exp(-gate)) * up);
      }
    }
  }

  @Override
  public void rotary(
      Tensor inOut,
      int rows,
      int firstColumn,
      int heads,
      int headDim,
      RotaryTable table,
      int[] positions) {
    ReferenceTensor x = OURS.tensor("inOut", inOut, rows);
    Arguments.heads(x, firstColumn, heads, headDim);
    Arguments.rotated(table, headDim);
    Arguments.indices("position", positions, rows, table.positions());
    for (int r = 0; r < rows; r++) {
      for (int head = 0; head < heads; head++) {
        rotate(x.data, x.at(r) + firstColumn + head * headDim, table, positions[r]);
      }
    }
  }

  private static void rotate(float[] x, int at, RotaryTable table, int position) {
    int half = table.rotatedDim() / 2;
    boolean split = table.layout() == RotaryTable.Layout.SPLIT_HALVES;
    for (int i = 0; i < half; i++) {
      double cos = table.cos()[position * half + i];
      double sin = table.sin()[position * half + i];
      int a = at + (split ? i : 2 * i);
      int b = split ? a + half : a + 1;
      double first = x[a];
      double second = x[b];
      x[a] = (float) (first * cos - second * sin);
      x[b] = (float) (second * cos + first * sin);
    }
  }

  @Override
  public void append(KvCache cache, int layer, Tensor qkv, AttentionPlan plan) {
    ReferenceKvCache to = OURS.cache(cache, layer, plan);
    KvLayout kv = to.layout();
    ReferenceTensor from = OURS.tensor("qkv", qkv, plan.rows);
    int values = kv.kvHeads() * kv.headDim();
    int keys = from.columns() - 2 * values;
    Check.that(
        keys >= 0 && keys % kv.headDim() == 0,
        "qkv has %d columns, which do not end in K and V of %d x %d",
        from.columns(),
        kv.kvHeads(),
        kv.headDim());
    for (int r = 0; r < plan.rows; r++) {
      int chunk = plan.rowChunk[r];
      Check.that(chunk >= 0 && chunk < to.chunks(), "chunk %d of %d", chunk, to.chunks());
      for (int head = 0; head < kv.kvHeads(); head++) {
        int at = from.at(r) + keys + head * kv.headDim();
        to.put(layer, chunk, false, head, plan.rowSlot[r], from.data, at);
        to.put(layer, chunk, true, head, plan.rowSlot[r], from.data, at + values);
      }
    }
  }

  @Override
  public void attention(
      KvCache cache,
      int layer,
      Tensor qkv,
      int queryHeads,
      float scale,
      AttentionPlan plan,
      Tensor out) {
    Arguments.distinct(qkv, out);
    ReferenceKvCache from = OURS.cache(cache, layer, plan);
    KvLayout kv = from.layout();
    int columns = Arguments.qkvColumns(kv, queryHeads);
    ReferenceTensor q = OURS.tensor("qkv", qkv, plan.rows, columns);
    ReferenceTensor to = OURS.tensor("out", out, plan.rows, queryHeads * kv.headDim());
    new ReferenceAttention(from, layer, q, queryHeads, scale, plan).run(to);
  }

  @Override
  public void gather(Tensor in, int[] rows, int count, Tensor out) {
    Arguments.distinct(in, out);
    ReferenceTensor from = OURS.tensor("in", in, 0);
    ReferenceTensor to = OURS.tensor("out", out, count, from.columns());
    Arguments.indices("row", rows, count, from.rows());
    for (int i = 0; i < count; i++) {
      from.read(rows[i], to.data, to.at(i));
    }
  }

  @Override
  public void argmax(Tensor in, int rows, int[] indices) {
    ReferenceTensor from = OURS.tensor("in", in, rows);
    Arguments.room("index", indices, rows);
    for (int r = 0; r < rows; r++) {
      int best = 0;
      for (int j = 1; j < from.columns(); j++) {
        if (from.data[from.at(r) + j] > from.data[from.at(r) + best]) {
          best = j;
        }
      }
      indices[r] = best;
    }
  }

  @Override
  public void close() {}
}
