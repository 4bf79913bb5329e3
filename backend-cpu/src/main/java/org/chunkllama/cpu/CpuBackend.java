package org.chunkllama.cpu;

import java.util.List;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.spi.Arguments;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.Matrix;
import org.chunkllama.spi.RotaryTable;
import org.chunkllama.spi.Tensor;
import org.chunkllama.spi.WeightTensor;
import org.jspecify.annotations.Nullable;

/**
 * All cores of this machine: Vector API kernels. Checks arguments and hands on; every operation has
 * ended when its call returns.
 */
final class CpuBackend implements Backend {
  private static final Arguments<CpuTensor, CpuMatrix, CpuKvCache> OURS =
      new Arguments<>(CpuTensor.class, CpuMatrix.class, CpuKvCache.class);

  private final Workers workers;
  private final RmsNorm rmsNorm;
  private final Rotary rotary;
  private final SiluGate siluGate;
  private final ArgMax argMax;
  private final RowCopy rowCopy;
  private final Embedding embedding;
  private final CpuAttention attention;
  private final LinearLayers layers;

  CpuBackend(BackendOptions options) {
    options.refuseFp16(CpuBackendProvider.NAME);
    int asked = options.threads();
    int threads = asked == 0 ? Runtime.getRuntime().availableProcessors() : asked;
    ProductChoice choice = ProductChoice.of(options.precision(), threads); // may refuse
    workers = new Workers(threads);
    rmsNorm = new RmsNorm(workers);
    rotary = new Rotary(workers);
    siluGate = new SiluGate(workers);
    argMax = new ArgMax(workers);
    rowCopy = new RowCopy(workers);
    embedding = new Embedding(workers);
    attention = new CpuAttention(workers, choice.engine());
    layers = new LinearLayers(workers, choice);
  }

  @Override
  public String name() {
    return CpuBackendProvider.NAME;
  }

  @Override
  public String description() {
    return "cpu: "
        + workers.count()
        + " threads, "
        + VectorShape.BITS
        + "-bit vectors, products of many rows: "
        + layers.description();
  }

  @Override
  public int parallelism() {
    return workers.count();
  }

  @Override
  public Tensor tensor(int rows, int columns) {
    return new CpuTensor(rows, columns);
  }

  @Override
  public Matrix matrix(List<WeightTensor> parts) {
    return layers.matrix(parts);
  }

  @Override
  public KvCache kvCache(KvLayout layout, int chunks) {
    requireKvType(layout.type());
    return new CpuKvCache(layout, chunks);
  }

  @Override
  public void embed(Matrix table, int[] tokens, int count, Tensor out) {
    CpuMatrix from = OURS.matrix(table);
    Arguments.indices("token", tokens, count, from.outputs());
    embedding.look(from, tokens, count, OURS.tensor("out", out, count, from.inputs()));
  }

  @Override
  public void rmsNorm(Tensor in, int rows, Tensor weight, float epsilon, Tensor out) {
    Arguments.distinct(in, out);
    CpuTensor from = OURS.tensor("in", in, rows);
    CpuTensor w = OURS.tensor("weight", weight, 1, from.columns());
    rmsNorm.norm(from, rows, w, epsilon, OURS.tensor("out", out, rows, from.columns()));
  }

  @Override
  public void headNorm(
      Tensor inOut, int rows, int firstColumn, int heads, Tensor weight, float epsilon) {
    CpuTensor x = OURS.tensor("inOut", inOut, rows);
    CpuTensor w = OURS.tensor("weight", weight, 1);
    Arguments.heads(x, firstColumn, heads, w.columns());
    rmsNorm.normHeads(x, rows, firstColumn, heads, w, epsilon);
  }

  @Override
  public void linear(
      Matrix w, @Nullable Tensor bias, Tensor in, int rows, Tensor out, boolean add) {
    Arguments.distinct(in, out);
    CpuMatrix weight = OURS.matrix(w);
    CpuTensor from = OURS.tensor("in", in, rows, weight.inputs());
    CpuTensor to = OURS.tensor("out", out, rows, weight.outputs());
    CpuTensor b = bias == null ? null : OURS.tensor("bias", bias, 1, weight.outputs());
    layers.multiply(weight, b, from, rows, to, add);
  }

  @Override
  public void siluGate(Tensor gateUp, int rows, Tensor out) {
    Arguments.distinct(gateUp, out);
    CpuTensor to = OURS.tensor("out", out, rows);
    siluGate.apply(OURS.tensor("gateUp", gateUp, rows, 2 * to.columns()), rows, to);
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
    CpuTensor x = OURS.tensor("inOut", inOut, rows);
    Arguments.heads(x, firstColumn, heads, headDim);
    Arguments.rotated(table, headDim);
    Arguments.indices("position", positions, rows, table.positions());
    rotary.rotate(x, rows, firstColumn, heads, headDim, table, positions);
  }

  @Override
  public void append(KvCache cache, int layer, Tensor qkv, AttentionPlan plan) {
    CpuKvCache to = OURS.cache(cache, layer, plan);
    attention.append(to, layer, OURS.tensor("qkv", qkv, plan.rows), plan);
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
    CpuKvCache kvCache = OURS.cache(cache, layer, plan);
    KvLayout kv = kvCache.layout();
    int columns = Arguments.qkvColumns(kv, queryHeads);
    CpuTensor from = OURS.tensor("qkv", qkv, plan.rows, columns);
    CpuTensor to = OURS.tensor("out", out, plan.rows, queryHeads * kv.headDim());
    attention.attend(kvCache, layer, from, queryHeads, scale, plan, to);
  }

  @Override
  public void gather(Tensor in, int[] rows, int count, Tensor out) {
    Arguments.distinct(in, out);
    CpuTensor from = OURS.tensor("in", in, 0);
    Arguments.indices("row", rows, count, from.rows());
    rowCopy.gather(from, rows, count, OURS.tensor("out", out, count, from.columns()));
  }

  @Override
  public void argmax(Tensor in, int rows, int[] indices) {
    CpuTensor from = OURS.tensor("in", in, rows);
    Arguments.room("index", indices, rows);
    argMax.find(from, rows, indices);
  }

  @Override
  public void close() {
    attention.close();
    workers.close();
    layers.close();
  }
}
