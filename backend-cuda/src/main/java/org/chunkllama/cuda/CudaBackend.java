package org.chunkllama.cuda;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;
import org.chunkllama.cuda.driver.DeviceMemory;
import org.chunkllama.cuda.driver.GpuProperties;
import org.chunkllama.cuda.driver.MatrixProduct;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.plan.PlanCosts;
import org.chunkllama.spi.Arguments;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.BackendOptions.Precision;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.GraphTimer;
import org.chunkllama.spi.IdleTimer;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.Matrix;
import org.chunkllama.spi.RandomWeight;
import org.chunkllama.spi.RotaryTable;
import org.chunkllama.spi.RowSampler;
import org.chunkllama.spi.StepInputs;
import org.chunkllama.spi.Tensor;
import org.chunkllama.spi.TunableAttention;
import org.chunkllama.spi.WeightTensor;
import org.jspecify.annotations.Nullable;

/**
 * A model's operations on one NVIDIA GPU: own kernels, cuBLASLt for products, all on one stream.
 * Checks arguments and hands on.
 *
 * <p>Everything is queued; the host waits in {@link Tensor#read}, {@link #argmax} and {@link
 * RowSampler#finish} alone. A decode step is one CUDA graph ({@link StepGraphs}). What a step reads
 * is copied to fixed places in the stream, behind the step before: so it can be sent ahead.
 */
final class CudaBackend implements Backend, GraphTimer, IdleTimer, TunableAttention {
  /** Arguments as this backend's types. */
  static final Arguments<CudaTensor, CudaMatrix, CudaKvCache> OURS =
      new Arguments<>(CudaTensor.class, CudaMatrix.class, CudaKvCache.class);

  private final CudaDevice device;
  private final KeptFormats kept;
  private final WeightUpload upload;
  private final RandomMatrices random;
  private final LinearLayers linear;
  private final RowKernels rows;
  private final CudaAttention attention;
  private final StepGraphs graphs;
  private final IndexTable tokenTable;
  private final IndexTable positionTable;
  private final IndexTable rowTable;
  private @Nullable CudaRowSampler sampler;
  private final Deque<DeviceMemory> weights = new ArrayDeque<>();

  CudaBackend(BackendOptions options) {
    device = new CudaDevice(0, type(options.precision()));
    kept = new KeptFormats(device, options.weights());
    QuantisedRows quantised = new QuantisedRows(device);
    upload = new WeightUpload(device, kept, quantised);
    random = new RandomMatrices(device, kept, quantised);
    linear = new LinearLayers(device, quantised);
    rows = new RowKernels(device, quantised);
    attention = new CudaAttention(device);
    graphs = new StepGraphs(device);
    tokenTable = new IndexTable(device, "token id");
    positionTable = new IndexTable(device, "position");
    rowTable = new IndexTable(device, "row");
  }

  private static MatrixProduct.Type type(Precision precision) {
    return switch (precision) {
      case FP32 -> MatrixProduct.Type.F32;
      case FP16 -> MatrixProduct.Type.F16;
      case AUTO, BF16 -> MatrixProduct.Type.BF16;
    };
  }

  @Override
  public String name() {
    return CudaBackendProvider.NAME;
  }

  @Override
  public String description() {
    GpuProperties gpu = device.context.properties();
    return "cuda: %s, %d multiprocessors, driver for CUDA %s, products %s by cuBLASLt %s, kernels by NVRTC %s for %s"
        .formatted(
            gpu.name(),
            gpu.multiprocessors(),
            gpu.cudaVersion(),
            device.products,
            device.blas.version(),
            device.nvrtc.version(),
            gpu.architecture());
  }

  /** 1: attention cuts runs itself, by the shape of its kernel ({@link RecordTable}). */
  @Override
  public int parallelism() {
    return 1;
  }

  @Override
  public PlanCosts planCosts(KvLayout layout, int queryHeads) {
    int units = device.context.properties().multiprocessors();
    return attention.tunings().of(layout, queryHeads).planCosts(units, KvCosts.of(layout.type()));
  }

  @Override
  public void announce(KvLayout layout, int queryHeads) {
    attention.prepare(layout, queryHeads / layout.kvHeads());
    CudaKvCache.prepare(device, layout);
    CudaRowSampler.prepare(device);
  }

  @Override
  public Origin origin(KvLayout layout, int queryHeads) {
    return attention.tunings().origin(layout, queryHeads);
  }

  @Override
  public List<Setting> settings(KvLayout layout, int queryHeads) {
    CudaTuning tuning = attention.tunings().of(layout, queryHeads);
    return Stream.of(Knob.values())
        .map(knob -> new Setting(knob.key(), knob.values, tuning.of(knob)))
        .toList();
  }

  @Override
  public void set(KvLayout layout, int queryHeads, List<Double> values) {
    device.context.bind();
    attention.tunings().set(layout, queryHeads, CudaTuning.of(values));
    attention.retune();
  }

  @Override
  public String keep(KvLayout layout, int queryHeads, String note) {
    return attention.tunings().keep(layout, queryHeads, note);
  }

  @Override
  public OptionalLong freeBytes() {
    return OptionalLong.of(device.context.freeBytes());
  }

  @Override
  public Tensor tensor(int rowCount, int columns) {
    device.context.bind();
    return new CudaTensor(device, rowCount, columns);
  }

  @Override
  public Matrix matrix(List<WeightTensor> parts) {
    device.context.bind();
    CudaMatrix matrix = upload.matrix(parts);
    weights.push(matrix.memory());
    return matrix;
  }

  @Override
  public Matrix randomMatrix(List<RandomWeight> parts) {
    device.context.bind();
    CudaMatrix matrix = random.matrix(parts);
    weights.push(matrix.memory());
    return matrix;
  }

  @Override
  public OptionalLong keptBytes(DType type, long values) {
    return kept.keep(type)
        ? OptionalLong.of(KeptFormats.bytes(type, values))
        : OptionalLong.empty();
  }

  @Override
  public Set<DType> kvTypes() {
    return EnumSet.of(DType.F32, DType.BF16, DType.F16, DType.F8, DType.I8);
  }

  @Override
  public Optional<String> lost() {
    return device.lost();
  }

  @Override
  public KvCache kvCache(KvLayout layout, int chunks) {
    device.context.bind();
    return new CudaKvCache(device, layout, chunks);
  }

  @Override
  public void embed(Matrix table, int[] tokens, int count, Tensor out) {
    CudaMatrix from = OURS.matrix(table);
    CudaTensor to = OURS.tensor("out", out, count, from.inputs());
    device.context.bind();
    rows.embed(from, tokenTable.of(tokens, count, from.outputs()), count, to);
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
        positionTable.of(positions, rowCount, table.positions()));
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
    Arguments.queryHeads(kv, queryHeads);
    int columns = (queryHeads + 2 * kv.kvHeads()) * kv.headDim();
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
    rows.gather(from, rowTable.of(indices, count, from.rows()), count, to);
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
      sampler = new CudaRowSampler(device);
    }
    return sampler;
  }

  @Override
  public void step(Object owner, KvCache cache, StepInputs inputs, Runnable operations) {
    AttentionPlan plan = inputs.attention();
    CudaKvCache kv = OURS.cache(cache, 0, plan);
    device.context.bind();
    PlanTables tables = attention.lastTables(kv);
    tokenTable.begin(inputs.tokens(), plan.rows);
    positionTable.begin(inputs.positions(), plan.rows);
    rowTable.begin(inputs.outputRows(), inputs.outputs());
    if (tables != null) {
      tables.begin(plan);
    }
    device.idle.stepBegins();
    try {
      graphs.run(owner, cache, plan.rows, inputs.outputs(), operations);
    } finally {
      tokenTable.end();
      positionTable.end();
      rowTable.end();
      if (tables != null) {
        tables.end();
      }
    }
  }

  @Override
  public boolean queuesSteps() {
    return true;
  }

  @Override
  public void prepareStep(KvCache cache, StepInputs inputs) {
    AttentionPlan plan = inputs.attention();
    CudaKvCache kv = OURS.cache(cache, 0, plan);
    device.context.bind();
    PlanTables tables = attention.lastTables(kv);
    if (tables != null) {
      tables.prepare(plan);
    }
    positionTable.prepare(inputs.positions(), plan.rows);
    rowTable.prepare(inputs.outputRows(), inputs.outputs());
  }

  @Override
  public double medianMicros(KvCache cache, AttentionPlan plan, int rounds, Runnable operations) {
    CudaKvCache kv = OURS.cache(cache, 0, plan);
    device.context.bind();
    PlanTables tables = tablesToTime(kv);
    tables.begin(plan); // the tables' copies are not part of the recording
    try {
      return graphs.medianMicros(rounds, operations);
    } finally {
      tables.end();
    }
  }

  @Override
  public double idleMicros() {
    device.context.bind();
    return device.idle.median();
  }

  @Override
  public void send(KvCache cache, AttentionPlan plan) {
    CudaKvCache kv = OURS.cache(cache, 0, plan);
    device.context.bind();
    PlanTables tables = tablesToTime(kv);
    tables.begin(plan);
    tables.end();
  }

  private PlanTables tablesToTime(CudaKvCache cache) {
    PlanTables tables = attention.lastTables(cache);
    if (tables == null) {
      throw new IllegalStateException("run attention over the cache before timing it");
    }
    return tables;
  }

  /** Waits for the GPU, then frees all that this backend handed out but caches and activations. */
  @Override
  public void close() {
    device.finish();
    graphs.close();
    tokenTable.close();
    positionTable.close();
    rowTable.close();
    attention.close();
    if (sampler != null) {
      sampler.close();
    }
    rows.close();
    linear.close();
    upload.close();
    weights.forEach(DeviceMemory::close);
    device.close();
  }
}
