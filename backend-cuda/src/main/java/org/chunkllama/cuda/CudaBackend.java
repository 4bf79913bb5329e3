package org.chunkllama.cuda;

import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;
import org.chunkllama.cuda.driver.CudaLibraries;
import org.chunkllama.cuda.driver.GpuProperties;
import org.chunkllama.cuda.driver.MatrixProduct;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.plan.PlanCosts;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.BackendOptions.Precision;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.GraphTimer;
import org.chunkllama.spi.IdleTimer;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.Matrix;
import org.chunkllama.spi.RandomWeight;
import org.chunkllama.spi.RowSampler;
import org.chunkllama.spi.StepInputs;
import org.chunkllama.spi.Tensor;
import org.chunkllama.spi.TunableAttention;
import org.chunkllama.spi.WeightTensor;

/**
 * A model's operations on one NVIDIA GPU: own kernels, cuBLASLt for products, all on one stream.
 *
 * <p>Everything is queued; the host waits in {@link Tensor#read}, {@link #argmax} and {@link
 * RowSampler#finish} alone. A decode step is one CUDA graph ({@link StepGraphs}). What a step reads
 * is copied to fixed places in the stream, behind the step before: so it can be sent ahead ({@link
 * StepTables}).
 */
final class CudaBackend extends CudaOperations implements GraphTimer, IdleTimer, TunableAttention {
  private final CudaWeights weights;
  private final StepGraphs graphs;

  /**
   * The first GPU, through the libraries of this machine.
   *
   * @throws org.chunkllama.cuda.driver.CudaException if a library is missing or a kernel does not
   *     compile
   */
  CudaBackend(BackendOptions options) {
    this(CudaLibraries.installed(), KernelCache.userFolder(), options);
  }

  /** The same through other libraries; {@code folder} keeps compiled kernels and tunings. */
  CudaBackend(CudaLibraries libraries, Path folder, BackendOptions options) {
    super(new CudaDevice(libraries, folder, type(options.precision())));
    try {
      weights = owned.add(new CudaWeights(device, options.weights(), quantised));
      graphs = owned.add(new StepGraphs(device));
    } catch (Throwable e) {
      owned.closeAfter(e);
      throw e;
    }
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
    CudaKvCache.requireSupported(layout);
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
    return device.handedOut.add(new CudaTensor(device, rowCount, columns));
  }

  @Override
  public Matrix matrix(List<WeightTensor> parts) {
    device.context.bind();
    return weights.matrix(parts);
  }

  @Override
  public Matrix randomMatrix(List<RandomWeight> parts) {
    device.context.bind();
    return weights.random(parts);
  }

  @Override
  public OptionalLong keptBytes(DType type, long values) {
    return weights.keptBytes(type, values);
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
  public long kvBytesPerChunk(KvLayout layout) {
    return CudaKvCache.bytesPerChunk(layout);
  }

  @Override
  public KvCache kvCache(KvLayout layout, int chunks) {
    device.context.bind();
    return device.handedOut.add(new CudaKvCache(device, layout, chunks));
  }

  @Override
  public void step(Object owner, KvCache cache, StepInputs inputs, Runnable operations) {
    AttentionPlan plan = inputs.attention();
    CudaKvCache kv = OURS.cache(cache, 0, plan);
    device.context.bind();
    try {
      tables.begin(kv, inputs);
      device.idle.stepBegins();
      graphs.run(owner, cache, plan.rows, inputs.outputs(), operations);
    } finally {
      tables.end(); // also of what was begun before something failed
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
    tables.prepare(kv, inputs);
  }

  @Override
  public double medianMicros(KvCache cache, AttentionPlan plan, int rounds, Runnable operations) {
    CudaKvCache kv = OURS.cache(cache, 0, plan);
    device.context.bind();
    PlanTables timed = tables.toTime(kv);
    try {
      timed.begin(plan); // its copies are not part of the recording
      return graphs.medianMicros(rounds, operations);
    } finally {
      timed.end();
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
    PlanTables timed = tables.toTime(kv);
    timed.begin(plan);
    timed.end();
  }

  /**
   * Waits for the GPU, then frees all that this backend handed out. A fault that nobody saw so far
   * is thrown when all is freed.
   */
  @Override
  public void close() {
    try {
      device.finish();
    } catch (Throwable e) {
      owned.closeAfter(e);
      throw e;
    }
    owned.close();
  }
}
