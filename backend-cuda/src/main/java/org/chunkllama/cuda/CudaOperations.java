package org.chunkllama.cuda;

import java.util.Optional;
import org.chunkllama.cuda.driver.MatrixProduct;
import org.chunkllama.cuda.driver.Owned;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.spi.Arguments;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.Matrix;
import org.chunkllama.spi.RotaryTable;
import org.chunkllama.spi.RowSampler;
import org.chunkllama.spi.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * The operations of a step: checks arguments, binds the context to the calling thread and hands on
 * to those that launch kernels. All is queued on one stream; the host waits in {@link #argmax}
 * alone.
 */
abstract class CudaOperations implements Backend {
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
  public void embed(Matrix table, int[] tokens, int count, Tensor out) {
    CudaMatrix from = OURS.matrix(table);
    CudaTensor to = OURS.tensor("out", out, count, from.inputs());
    device.context.bind();
    rows.embed(from, tables.tokens(tokens, count, from.outputs()), count, to);
  }

  @Override
  public void rmsNorm(Tensor in, int rowCount, Tensor weight, float epsilon, Tensor out) {
    Arguments.distinct(in, out);
    CudaTensor from = OURS.tensor("in", in, rowCount);
    CudaTensor w = OURS.tensor("weight", weight, 1, from.columns());
    CudaTensor to = OURS.tensor("out", out, rowCount, from.columns());
    device.context.bind();
    rows.rmsNorm(from, rowCount, w, epsilon, to);
  }

  @Override
  public void headNorm(
      Tensor inOut, int rowCount, int firstColumn, int heads, Tensor weight, float epsilon) {
    CudaTensor x = OURS.tensor("inOut", inOut, rowCount);
    CudaTensor w = OURS.tensor("weight", weight, 1);
    Arguments.heads(x, firstColumn, heads, w.columns());
    device.context.bind();
    rows.headNorm(x, rowCount, firstColumn, heads, w, epsilon);
  }

  @Override
  public void linear(
      Matrix w, @Nullable Tensor bias, Tensor in, int rowCount, Tensor out, boolean add) {
    Arguments.distinct(in, out);
    CudaMatrix weight = OURS.matrix(w);
    CudaTensor from = OURS.tensor("in", in, rowCount, weight.inputs());
    CudaTensor to = OURS.tensor("out", out, rowCount, weight.outputs());
    CudaTensor b = bias == null ? null : OURS.tensor("bias", bias, 1, weight.outputs());
    device.context.bind();
    linear.run(weight, b, from, rowCount, to, add);
  }

  @Override
  public void siluGate(Tensor gateUp, int rowCount, Tensor out) {
    Arguments.distinct(gateUp, out);
    CudaTensor to = OURS.tensor("out", out, rowCount);
    CudaTensor from = OURS.tensor("gateUp", gateUp, rowCount, 2 * to.columns());
    device.context.bind();
    rows.siluGate(from, rowCount, to);
  }

  @Override
  public void rotary(
      Tensor inOut,
      int rowCount,
      int firstColumn,
      int heads,
      int headDim,
      RotaryTable table,
      int[] positions) {
    CudaTensor x = OURS.tensor("inOut", inOut, rowCount);
    Arguments.heads(x, firstColumn, heads, headDim);
    Arguments.rotated(table, headDim);
    device.context.bind();
    rows.rotary(
        x,
        rowCount,
        firstColumn,
        heads,
        headDim,
        table,
        tables.positions(positions, rowCount, table.positions()));
  }

  @Override
  public void append(KvCache cache, int layer, Tensor qkv, AttentionPlan plan) {
    CudaKvCache to = OURS.cache(cache, layer, plan);
    CudaTensor from = OURS.tensor("qkv", qkv, plan.rows);
    int queries = queryHeads(to.layout(), from.columns());
    if (plan.rows == 0) {
      return;
    }
    device.context.bind();
    to.append(layer, from, plan.rows, attention.tables(to, queries).of(plan));
  }

  @Override
  public void rotaryAppend(
      KvCache cache,
      int layer,
      Tensor qkv,
      int queryHeads,
      RotaryTable table,
      int[] positions,
      AttentionPlan plan) {
    CudaKvCache to = OURS.cache(cache, layer, plan);
    KvLayout kv = to.layout();
    CudaTensor x = OURS.tensor("qkv", qkv, plan.rows, Arguments.qkvColumns(kv, queryHeads));
    Arguments.rotated(table, kv.headDim());
    if (plan.rows == 0) {
      return;
    }
    device.context.bind();
    MatrixProduct.Type queries = attention.queryType(to, queryHeads);
    if (queries == null || !to.rotates(table)) {
      Backend.super.rotaryAppend(cache, layer, qkv, queryHeads, table, positions, plan);
      return;
    }
    to.rotaryAppend(
        layer,
        x,
        plan.rows,
        rows.rotaryTables.of(table),
        tables.positions(positions, plan.rows, table.positions()),
        attention.tables(to, queryHeads).of(plan),
        x.queriesToWrite(queries, queryHeads * kv.headDim(), plan.rows));
  }

  private static int queryHeads(KvLayout kv, int columns) {
    int heads = columns / kv.headDim() - 2 * kv.kvHeads();
    if (columns % kv.headDim() != 0 || heads < 0 || heads % kv.kvHeads() != 0) {
      throw new IllegalArgumentException(
          "qkv has %d columns, which are not queries, keys and values of %d KV heads of %d"
              .formatted(columns, kv.kvHeads(), kv.headDim()));
    }
    return heads;
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
    CudaKvCache from = OURS.cache(cache, layer, plan);
    KvLayout kv = from.layout();
    int columns = Arguments.qkvColumns(kv, queryHeads);
    CudaTensor q = OURS.tensor("qkv", qkv, plan.rows, columns);
    CudaTensor to = OURS.tensor("out", out, plan.rows, queryHeads * kv.headDim());
    if (plan.rows == 0) {
      return;
    }
    device.context.bind();
    attention.run(from, layer, q, queryHeads, scale, plan, to);
  }

  @Override
  public void gather(Tensor in, int[] indices, int count, Tensor out) {
    Arguments.distinct(in, out);
    CudaTensor from = OURS.tensor("in", in, 0);
    CudaTensor to = OURS.tensor("out", out, count, from.columns());
    device.context.bind();
    rows.gather(from, tables.outputRows(indices, count, from.rows()), count, to);
  }

  @Override
  public void argmax(Tensor in, int rowCount, int[] indices) {
    CudaTensor from = OURS.tensor("in", in, rowCount);
    Arguments.room("index", indices, rowCount);
    if (rowCount == 0) {
      return;
    }
    device.context.bind();
    sampler().likeliest(from, rowCount, indices);
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
