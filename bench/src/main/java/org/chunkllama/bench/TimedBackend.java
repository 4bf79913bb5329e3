package org.chunkllama.bench;

import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.chunkllama.bench.OpTimes.Op;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.plan.PlanCosts;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.Matrix;
import org.chunkllama.spi.RandomWeight;
import org.chunkllama.spi.RotaryTable;
import org.chunkllama.spi.RowDraws;
import org.chunkllama.spi.RowSampler;
import org.chunkllama.spi.StepInputs;
import org.chunkllama.spi.Tensor;
import org.chunkllama.spi.WeightTensor;
import org.jspecify.annotations.Nullable;

/**
 * A backend that notes how long each operation of another takes, whose calls must return when the
 * work is done, as the CPU's do ({@link TimedBackendProvider}).
 */
final class TimedBackend implements Backend {
  private final Backend backend;
  private final OpTimes times;
  private final IdentityHashMap<Matrix, Op> kinds = new IdentityHashMap<>();

  TimedBackend(Backend backend, OpTimes times) {
    this.backend = backend;
    this.times = times;
  }

  @Override
  public String name() {
    return backend.name();
  }

  @Override
  public String description() {
    return backend.description() + ", timed";
  }

  @Override
  public Set<DType> kvTypes() {
    return backend.kvTypes();
  }

  @Override
  public int parallelism() {
    return backend.parallelism();
  }

  @Override
  public PlanCosts planCosts(KvLayout layout, int queryHeads) {
    return backend.planCosts(layout, queryHeads);
  }

  @Override
  public void announce(KvLayout layout, int queryHeads) {
    backend.announce(layout, queryHeads);
  }

  @Override
  public OptionalLong keptBytes(DType type, long values) {
    return backend.keptBytes(type, values);
  }

  @Override
  public void requireKvType(DType type) {
    backend.requireKvType(type);
  }

  @Override
  public Optional<String> lost() {
    return backend.lost();
  }

  @Override
  public OptionalLong freeBytes() {
    return backend.freeBytes();
  }

  @Override
  public long kvBytesPerChunk(KvLayout layout) {
    return backend.kvBytesPerChunk(layout);
  }

  @Override
  public Tensor tensor(int rows, int columns) {
    return backend.tensor(rows, columns);
  }

  @Override
  public Matrix matrix(List<WeightTensor> parts) {
    Matrix matrix = backend.matrix(parts);
    kinds.put(matrix, kind(parts.getFirst().name()));
    return matrix;
  }

  @Override
  public Matrix randomMatrix(List<RandomWeight> parts) {
    Matrix matrix = backend.randomMatrix(parts);
    kinds.put(matrix, kind(parts.getFirst().name()));
    return matrix;
  }

  /** By the first part's name, in GGUF's or Hugging Face's words. */
  private static Op kind(String name) {
    if (name.contains("attn_q") || name.contains("q_proj")) {
      return Op.LINEAR_QKV;
    }
    if (name.contains("attn_output") || name.contains("o_proj")) {
      return Op.LINEAR_OUTPUT;
    }
    if (name.contains("ffn_gate") || name.contains("gate_proj")) {
      return Op.LINEAR_GATE_UP;
    }
    return name.contains("ffn_down") || name.contains("down_proj")
        ? Op.LINEAR_DOWN
        : Op.LINEAR_LOGITS;
  }

  @Override
  public KvCache kvCache(KvLayout layout, int chunks) {
    return new TimedKvCache(backend.kvCache(layout, chunks), times);
  }

  /** Forwards {@link #copy} with its time. */
  private record TimedKvCache(KvCache cache, OpTimes times) implements KvCache {
    @Override
    public KvLayout layout() {
      return cache.layout();
    }

    @Override
    public int chunks() {
      return cache.chunks();
    }

    @Override
    public void copy(int from, int to, int slots) {
      long begin = System.nanoTime();
      cache.copy(from, to, slots);
      times.add(Op.KV_COPY, begin);
    }

    @Override
    public void close() {
      cache.close();
    }
  }

  /** Its time is that of what is read of the logits. */
  private record TimedRowSampler(RowSampler sampler, OpTimes times) implements RowSampler {
    @Override
    public void start(Tensor logits, RowDraws draws) {
      long begin = System.nanoTime();
      sampler.start(logits, draws);
      times.add(Op.READ_LOGITS, begin);
    }

    @Override
    public void finish(RowDraws draws) {
      long begin = System.nanoTime();
      sampler.finish(draws);
      times.add(Op.READ_LOGITS, begin);
    }
  }

  private static KvCache unwrap(KvCache cache) {
    return cache instanceof TimedKvCache timed ? timed.cache() : cache;
  }

  @Override
  public void embed(Matrix table, int[] tokens, int count, Tensor out) {
    long begin = System.nanoTime();
    backend.embed(table, tokens, count, out);
    times.add(Op.EMBED, begin);
  }

  @Override
  public void rmsNorm(Tensor in, int rows, Tensor weight, float epsilon, Tensor out) {
    long begin = System.nanoTime();
    backend.rmsNorm(in, rows, weight, epsilon, out);
    times.add(Op.NORM, begin);
  }

  @Override
  public void headNorm(
      Tensor inOut, int rows, int firstColumn, int heads, Tensor weight, float epsilon) {
    long begin = System.nanoTime();
    backend.headNorm(inOut, rows, firstColumn, heads, weight, epsilon);
    times.add(Op.NORM, begin);
  }

  @Override
  public void linear(
      Matrix w, @Nullable Tensor bias, Tensor in, int rows, Tensor out, boolean add) {
    long begin = System.nanoTime();
    backend.linear(w, bias, in, rows, out, add);
    times.add(kinds.getOrDefault(w, Op.LINEAR_LOGITS), begin);
  }

  @Override
  public void siluGate(Tensor gateUp, int rows, Tensor out) {
    long begin = System.nanoTime();
    backend.siluGate(gateUp, rows, out);
    times.add(Op.SILU_GATE, begin);
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
    long begin = System.nanoTime();
    backend.rotary(inOut, rows, firstColumn, heads, headDim, table, positions);
    times.add(Op.ROTARY, begin);
  }

  @Override
  public void append(KvCache cache, int layer, Tensor qkv, AttentionPlan plan) {
    long begin = System.nanoTime();
    backend.append(unwrap(cache), layer, qkv, plan);
    times.add(Op.APPEND, begin);
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
    long begin = System.nanoTime();
    backend.rotaryAppend(unwrap(cache), layer, qkv, queryHeads, table, positions, plan);
    times.add(Op.ROTARY_APPEND, begin);
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
    long begin = System.nanoTime();
    backend.attention(unwrap(cache), layer, qkv, queryHeads, scale, plan, out);
    times.add(Op.ATTENTION, begin);
  }

  @Override
  public void gather(Tensor in, int[] rows, int count, Tensor out) {
    long begin = System.nanoTime();
    backend.gather(in, rows, count, out);
    times.add(Op.GATHER, begin);
  }

  @Override
  public void argmax(Tensor in, int rows, int[] indices) {
    long begin = System.nanoTime();
    backend.argmax(in, rows, indices);
    times.add(Op.READ_LOGITS, begin);
  }

  @Override
  public Optional<RowSampler> rowSampler(int vocabulary) {
    return backend.rowSampler(vocabulary).map(sampler -> new TimedRowSampler(sampler, times));
  }

  @Override
  public void step(Object owner, KvCache cache, StepInputs inputs, Runnable operations) {
    backend.step(owner, unwrap(cache), inputs, operations);
  }

  @Override
  public boolean queuesSteps() {
    return backend.queuesSteps();
  }

  @Override
  public void prepareStep(KvCache cache, StepInputs inputs) {
    backend.prepareStep(unwrap(cache), inputs);
  }

  @Override
  public void close() {
    backend.close();
  }
}
