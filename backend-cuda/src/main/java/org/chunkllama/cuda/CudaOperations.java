package org.chunkllama.cuda;

import java.util.Optional;
import org.chunkllama.cuda.driver.MatrixProduct;
import org.chunkllama.cuda.driver.Owned;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.spi.Arguments;
import org.chunkllama.spi.RotaryTable;
import org.chunkllama.spi.RowSampler;
import org.chunkllama.spi.TypedBackend;
import org.jspecify.annotations.Nullable;

/**
 * The operations of a step: binds the context to the calling thread and hands on to those that
 * launch kernels. All is queued on one stream; the host waits in {@link #argmax} alone.
 */
abstract class CudaOperations extends TypedBackend<CudaTensor, CudaMatrix, CudaKvCache> {
  /** Arguments as this backend's types. */
  static final Arguments<CudaTensor, CudaMatrix, CudaKvCache> OURS =
      new Arguments<>(CudaTensor.class, CudaMatrix.class, CudaKvCache.class);

  /** All that is closed with the backend. */
  final Owned owned = new Owned();

  final CudaDevice device;
  final QuantisedRows quantised;
  final CudaAttention attention;
  final StepTables tables;
  private final LinearLayers linear;
  private final RowKernels rows;
  private @Nullable CudaRowSampler sampler;

  /** {@code device}: closed with this, also if it cannot be made. */
  CudaOperations(CudaDevice device) {
    super(OURS);
    this.device = owned.add(device);
    try {
      quantised = new QuantisedRows(device);
      linear = owned.add(new LinearLayers(device, quantised));
      rows = owned.add(new RowKernels(device, quantised));
      attention = owned.add(new CudaAttention(device));
      tables = owned.add(new StepTables(device, attention));
    } catch (Throwable e) {
      owned.closeAfter(e);
      throw e;
    }
  }

  @Override
  protected void embedRows(CudaMatrix table, int[] ids, int count, CudaTensor out) {
    device.context.bind();
    rows.embed(table, tables.tokens(ids, count, table.outputs()), count, out);
  }

  @Override
  protected void normRows(
      CudaTensor in, int count, CudaTensor weight, float epsilon, CudaTensor out) {
    device.context.bind();
    rows.rmsNorm(in, count, weight, epsilon, out);
  }

  @Override
  protected void normHeads(
      CudaTensor inOut, int count, int firstColumn, int heads, CudaTensor weight, float epsilon) {
    device.context.bind();
    rows.headNorm(inOut, count, firstColumn, heads, weight, epsilon);
  }

  @Override
  protected void multiply(
      CudaMatrix weight,
      @Nullable CudaTensor bias,
      CudaTensor in,
      int count,
      CudaTensor out,
      boolean add) {
    device.context.bind();
    linear.run(weight, bias, in, count, out, add);
  }

  @Override
  protected void gate(CudaTensor gateUp, int count, CudaTensor out) {
    device.context.bind();
    rows.siluGate(gateUp, count, out);
  }

  @Override
  protected void rotate(
      CudaTensor inOut,
      int count,
      int firstColumn,
      int heads,
      int headDim,
      RotaryTable table,
      int[] positions) {
    device.context.bind();
    rows.rotary(
        inOut,
        count,
        firstColumn,
        heads,
        headDim,
        table,
        tables.positions(positions, count, table.positions()));
  }

  @Override
  protected void appendRows(
      CudaKvCache cache, int layer, CudaTensor qkv, int queryHeads, AttentionPlan plan) {
    device.context.bind();
    cache.append(layer, qkv, plan.rows, attention.tables(cache, queryHeads).of(plan));
  }

  @Override
  protected void rotateAndAppend(
      CudaKvCache cache,
      int layer,
      CudaTensor qkv,
      int queryHeads,
      RotaryTable table,
      int[] positions,
      AttentionPlan plan) {
    device.context.bind();
    MatrixProduct.Type queries = attention.queryType(cache, queryHeads);
    if (queries == null || !cache.rotates(table)) {
      super.rotateAndAppend(cache, layer, qkv, queryHeads, table, positions, plan);
      return;
    }
    cache.rotaryAppend(
        layer,
        qkv,
        plan.rows,
        rows.rotaryTables.of(table),
        tables.positions(positions, plan.rows, table.positions()),
        attention.tables(cache, queryHeads).of(plan),
        qkv.queryTwin(queries, queryHeads * cache.layout().headDim()));
    qkv.setQueriesCurrent(plan.rows);
  }

  @Override
  protected void attend(
      CudaKvCache cache,
      int layer,
      CudaTensor qkv,
      int queryHeads,
      float scale,
      AttentionPlan plan,
      CudaTensor out) {
    device.context.bind();
    attention.run(cache, layer, qkv, queryHeads, scale, plan, out);
  }

  @Override
  protected void gatherRows(CudaTensor in, int[] indices, int count, CudaTensor out) {
    device.context.bind();
    rows.gather(in, tables.outputRows(indices, count, in.rows()), count, out);
  }

  @Override
  protected void likeliest(CudaTensor in, int count, int[] indices) {
    device.context.bind();
    sampler().likeliest(in, count, indices);
  }

  @Override
  public Optional<RowSampler> rowSampler(int vocabulary) {
    device.context.bind();
    CudaRowSampler rowSampler = sampler();
    return rowSampler.takes(vocabulary) ? Optional.of(rowSampler) : Optional.empty();
  }

  private CudaRowSampler sampler() {
    if (sampler == null) {
      sampler = owned.add(new CudaRowSampler(device));
    }
    return sampler;
  }
}
