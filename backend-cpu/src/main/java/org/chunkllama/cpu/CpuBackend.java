package org.chunkllama.cpu;

import java.util.List;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.spi.Arguments;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.Matrix;
import org.chunkllama.spi.RotaryTable;
import org.chunkllama.spi.Tensor;
import org.chunkllama.spi.TypedBackend;
import org.chunkllama.spi.WeightTensor;
import org.jspecify.annotations.Nullable;

/**
 * All cores of this machine: Vector API kernels. Every operation has ended when its call returns.
 */
final class CpuBackend extends TypedBackend<CpuTensor, CpuMatrix, CpuKvCache> {
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
    super(OURS);
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
  protected void embedRows(CpuMatrix table, int[] tokens, int count, CpuTensor out) {
    Arguments.indices("token", tokens, count, table.outputs());
    embedding.look(table, tokens, count, out);
  }

  @Override
  protected void normRows(CpuTensor in, int rows, CpuTensor weight, float epsilon, CpuTensor out) {
    rmsNorm.norm(in, rows, weight, epsilon, out);
  }

  @Override
  protected void normHeads(
      CpuTensor inOut, int rows, int firstColumn, int heads, CpuTensor weight, float epsilon) {
    rmsNorm.normHeads(inOut, rows, firstColumn, heads, weight, epsilon);
  }

  @Override
  protected void multiply(
      CpuMatrix weight,
      @Nullable CpuTensor bias,
      CpuTensor in,
      int rows,
      CpuTensor out,
      boolean add) {
    layers.multiply(weight, bias, in, rows, out, add);
  }

  @Override
  protected void gate(CpuTensor gateUp, int rows, CpuTensor out) {
    siluGate.apply(gateUp, rows, out);
  }

  @Override
  protected void rotate(
      CpuTensor inOut,
      int rows,
      int firstColumn,
      int heads,
      int headDim,
      RotaryTable table,
      int[] positions) {
    Arguments.indices("position", positions, rows, table.positions());
    rotary.rotate(inOut, rows, firstColumn, heads, headDim, table, positions);
  }

  @Override
  protected void appendRows(
      CpuKvCache cache, int layer, CpuTensor qkv, int queryHeads, AttentionPlan plan) {
    attention.append(cache, layer, qkv, queryHeads, plan);
  }

  @Override
  protected void attend(
      CpuKvCache cache,
      int layer,
      CpuTensor qkv,
      int queryHeads,
      float scale,
      AttentionPlan plan,
      CpuTensor out) {
    attention.attend(cache, layer, qkv, queryHeads, scale, plan, out);
  }

  @Override
  protected void gatherRows(CpuTensor in, int[] rows, int count, CpuTensor out) {
    Arguments.indices("row", rows, count, in.rows());
    rowCopy.gather(in, rows, count, out);
  }

  @Override
  protected void likeliest(CpuTensor in, int rows, int[] indices) {
    argMax.find(in, rows, indices);
  }

  @Override
  public void close() {
    attention.close();
    workers.close();
    layers.close();
  }
}
