package org.chunkllama.reference;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.spi.Arguments;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.Matrix;
import org.chunkllama.spi.RotaryTable;
import org.chunkllama.spi.Tensor;
import org.chunkllama.spi.TypedBackend;
import org.chunkllama.spi.WeightTensor;
import org.jspecify.annotations.Nullable;

/** Plain loops on the calling thread; sums in double precision whatever precision was asked for. */
final class ReferenceBackend
    extends TypedBackend<ReferenceTensor, ReferenceMatrix, ReferenceKvCache> {
  private static final Arguments<ReferenceTensor, ReferenceMatrix, ReferenceKvCache> OURS =
      new Arguments<>(ReferenceTensor.class, ReferenceMatrix.class, ReferenceKvCache.class);

  ReferenceBackend() {
    super(OURS);
  }

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
  protected void embedRows(ReferenceMatrix table, int[] tokens, int count, ReferenceTensor out) {
    Arguments.indices("token", tokens, count, table.outputs());
    for (int i = 0; i < count; i++) {
      table.row(tokens[i], out.data, out.at(i));
    }
  }

  @Override
  protected void normRows(
      ReferenceTensor in, int rows, ReferenceTensor weight, float epsilon, ReferenceTensor out) {
    for (int r = 0; r < rows; r++) {
      norm(in.data, in.at(r), in.columns(), weight.data, epsilon, out.data, out.at(r));
    }
  }

  @Override
  protected void normHeads(
      ReferenceTensor inOut,
      int rows,
      int firstColumn,
      int heads,
      ReferenceTensor weight,
      float epsilon) {
    int n = weight.columns();
    for (int r = 0; r < rows; r++) {
      for (int head = 0; head < heads; head++) {
        int at = inOut.at(r) + firstColumn + head * n;
        norm(inOut.data, at, n, weight.data, epsilon, inOut.data, at);
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
  protected void multiply(
      ReferenceMatrix weight,
      @Nullable ReferenceTensor bias,
      ReferenceTensor in,
      int rows,
      ReferenceTensor out,
      boolean add) {
    float[] row = new float[weight.inputs()];
    for (int o = 0; o < weight.outputs(); o++) {
      weight.row(o, row, 0);
      double start = bias == null ? 0 : bias.data[o];
      for (int r = 0; r < rows; r++) {
        int at = out.at(r) + o;
        double sum = start + dot(row, in.data, in.at(r));
        out.data[at] = (float) (add ? out.data[at] + sum : sum);
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
  protected void gate(ReferenceTensor gateUp, int rows, ReferenceTensor out) {
    int n = out.columns();
    for (int r = 0; r < rows; r++) {
      for (int j = 0; j < n; j++) {
        double gate = gateUp.data[gateUp.at(r) + j];
        double up = gateUp.data[gateUp.at(r) + n + j];
        out.data[out.at(r) + j] = (float) (gate / (1 + Math.exp(-gate)) * up);
      }
    }
  }

  @Override
  protected void rotate(
      ReferenceTensor inOut,
      int rows,
      int firstColumn,
      int heads,
      int headDim,
      RotaryTable table,
      int[] positions) {
    Arguments.indices("position", positions, rows, table.positions());
    for (int r = 0; r < rows; r++) {
      for (int head = 0; head < heads; head++) {
        rotate(inOut.data, inOut.at(r) + firstColumn + head * headDim, table, positions[r]);
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
  protected void appendRows(
      ReferenceKvCache cache, int layer, ReferenceTensor qkv, int queryHeads, AttentionPlan plan) {
    KvLayout kv = cache.layout();
    int values = kv.kvHeads() * kv.headDim();
    int keys = queryHeads * kv.headDim();
    for (int r = 0; r < plan.rows; r++) {
      int chunk = plan.rowChunk[r];
      Check.that(chunk >= 0 && chunk < cache.chunks(), "chunk %d of %d", chunk, cache.chunks());
      for (int head = 0; head < kv.kvHeads(); head++) {
        int at = qkv.at(r) + keys + head * kv.headDim();
        cache.put(layer, chunk, false, head, plan.rowSlot[r], qkv.data, at);
        cache.put(layer, chunk, true, head, plan.rowSlot[r], qkv.data, at + values);
      }
    }
  }

  @Override
  protected void attend(
      ReferenceKvCache cache,
      int layer,
      ReferenceTensor qkv,
      int queryHeads,
      float scale,
      AttentionPlan plan,
      ReferenceTensor out) {
    new ReferenceAttention(cache, layer, qkv, queryHeads, scale, plan).run(out);
  }

  @Override
  protected void gatherRows(ReferenceTensor in, int[] rows, int count, ReferenceTensor out) {
    Arguments.indices("row", rows, count, in.rows());
    for (int i = 0; i < count; i++) {
      in.read(rows[i], out.data, out.at(i));
    }
  }

  @Override
  protected void likeliest(ReferenceTensor in, int rows, int[] indices) {
    for (int r = 0; r < rows; r++) {
      int best = 0;
      for (int j = 1; j < in.columns(); j++) {
        if (in.data[in.at(r) + j] > in.data[in.at(r) + best]) {
          best = j;
        }
      }
      indices[r] = best;
    }
  }

  @Override
  public void close() {}
}
