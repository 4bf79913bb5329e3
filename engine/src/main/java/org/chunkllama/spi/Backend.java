package org.chunkllama.spi;

import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.plan.PlanCosts;
import org.jspecify.annotations.Nullable;

/**
 * Everything a model needs of a device. One thread drives it; a call may return before the device
 * has finished, only {@link Tensor#read}, {@link #argmax} and {@link RowSampler#finish} wait.
 * Arrays given to a call may change once it has returned. Activations are fp32; products accumulate
 * in fp32.
 *
 * <p>Arguments named {@code rows} mean the first rows of a tensor. Shapes are checked; a mismatch
 * throws {@link IllegalArgumentException}. Input and output tensors must differ unless said
 * otherwise.
 */
public interface Backend extends AutoCloseable {
  /** Name of the provider that opened it. */
  String name();

  /**
   * What was chosen and why, one line for the log: instruction set, threads, product library,
   * memory of packed weights.
   */
  String description();

  /**
   * Units that work on attention at once (cores, multiprocessors): the planner cuts its segments
   * for these.
   */
  int parallelism();

  /**
   * What attention costs here over caches of this layout: the planner shares what pays by these.
   */
  default PlanCosts planCosts(KvLayout layout, int queryHeads) {
    return PlanCosts.defaults();
  }

  /**
   * Says early, before weights are loaded, for which caches attention will be wanted: what takes
   * time (compiling kernels) may begin.
   *
   * @throws InvalidRequestException if it cannot store keys and values so
   */
  default void announce(KvLayout layout, int queryHeads) {}

  /** Zeroed activations. */
  Tensor tensor(int rows, int columns);

  /** A linear layer's weight; several parts with equal columns are stacked along the outputs. */
  Matrix matrix(List<WeightTensor> parts);

  /**
   * Bytes that {@code values} values of a quantised type take if weights of this type stay so;
   * empty where they become wide.
   */
  default OptionalLong keptBytes(DType type, long values) {
    return OptionalLong.empty();
  }

  /** How keys and values may be stored. */
  default Set<DType> kvTypes() {
    return EnumSet.of(DType.F32, DType.BF16, DType.F16);
  }

  /**
   * Says whether keys and values may be stored so, before anything is loaded.
   *
   * @throws InvalidRequestException if not
   */
  default void requireKvType(DType type) {
    if (!kvTypes().contains(type)) {
      throw new InvalidRequestException(
          "the %s backend stores keys and values as %s, not as %s; choose another KV type or backend"
              .formatted(
                  name(),
                  kvTypes().stream().map(DType::name).collect(Collectors.joining(", ")),
                  type));
    }
  }

  /**
   * The same of random numbers, for measurements. A device with memory of its own makes them there;
   * one that keeps quantised weights, other numbers in such a type.
   */
  default Matrix randomMatrix(List<RandomWeight> parts) {
    return matrix(parts.stream().map(RandomWeight::tensor).toList());
  }

  /**
   * Why nothing can be computed any more, in one clause, if the device failed in a way that only a
   * new process gets over. Asked after a call that failed; waits for the device.
   */
  default Optional<String> lost() {
    return Optional.empty();
  }

  /** Bytes that a chunk of such a cache takes here, padding included. */
  default long kvBytesPerChunk(KvLayout layout) {
    return layout.bytesPerChunk();
  }

  /**
   * A KV cache of {@code chunks} chunks; the content of unwritten slots is undefined and must never
   * reach a result.
   *
   * @throws InvalidRequestException if it cannot store keys and values so
   * @throws OutOfMemoryError if the machine has not that much memory
   * @throws org.chunkllama.error.DeviceException if the device's own memory is too small
   */
  KvCache kvCache(KvLayout layout, int chunks);

  /** {@code out[i] = table[tokens[i]]} for i in [0, count). */
  void embed(Matrix table, int[] tokens, int count, Tensor out);

  /**
   * Root-mean-square norm of each row, times {@code weight} (one row): {@code x / sqrt(mean(x^2) +
   * epsilon) * w}.
   */
  void rmsNorm(Tensor in, int rows, Tensor weight, float epsilon, Tensor out);

  /**
   * The same norm in place over each of {@code heads} heads of {@code weight.columns()} values that
   * begin at column {@code firstColumn} (Qwen3's QK norm).
   */
  void headNorm(Tensor inOut, int rows, int firstColumn, int heads, Tensor weight, float epsilon);

  /**
   * {@code out = in . w^T + bias}; with {@code add}, {@code out += in . w^T + bias} (the residual
   * stream).
   */
  void linear(Matrix w, @Nullable Tensor bias, Tensor in, int rows, Tensor out, boolean add);

  /**
   * {@code out[r][j] = silu(gateUp[r][j]) * gateUp[r][n + j]}, n = out.columns(), gateUp.columns()
   * = 2 n.
   */
  void siluGate(Tensor gateUp, int rows, Tensor out);

  /**
   * Rotates, in place, {@code heads} heads of {@code headDim} values that begin at column {@code
   * firstColumn}; row r stands at {@code positions[r]}.
   */
  void rotary(
      Tensor inOut,
      int rows,
      int firstColumn,
      int heads,
      int headDim,
      RotaryTable table,
      int[] positions);

  /**
   * Writes K and V of each row of the plan to the row's chunk and slot. A row of {@code qkv} is
   * {@code [query heads | kv heads of K | kv heads of V]}, each head {@code headDim} values.
   */
  void append(KvCache cache, int layer, Tensor qkv, AttentionPlan plan);

  /**
   * {@link #rotary} of all queries and keys of the plan's rows, then {@link #append}. Afterwards
   * {@code qkv} is for {@link #attention} with that plan and cache alone: what reading it gives is
   * undefined.
   *
   * @param qkv as in {@link #append}, not rotated yet
   */
  void rotaryAppend(
      KvCache cache,
      int layer,
      Tensor qkv,
      int queryHeads,
      RotaryTable table,
      int[] positions,
      AttentionPlan plan);

  /**
   * Attention of all rows of the plan over their chunks: softmax(q.K^T * scale) . V with rows
   * seeing tokens at positions up to their own. Query head h reads KV head h / (queryHeads /
   * kvHeads). Rows of the plan that no segment covers give zeros.
   *
   * @param qkv as in {@link #append}; only its queries are read
   * @param scale of scores, above 0
   * @param out {@code [rows][queryHeads * headDim]}
   */
  void attention(
      KvCache cache,
      int layer,
      Tensor qkv,
      int queryHeads,
      float scale,
      AttentionPlan plan,
      Tensor out);

  /** {@code out[i] = in[rows[i]]} for i in [0, count): the rows whose logits are wanted. */
  void gather(Tensor in, int[] rows, int count, Tensor out);

  /**
   * Index of the largest value of each row, the lowest index among equals. Waits for the device.
   */
  void argmax(Tensor in, int rows, int[] indices);

  /**
   * Draws tokens from logits on the device; empty if the backend cannot for rows of so many: then
   * rows are read and drawn from on the host.
   *
   * @param vocabulary logits in a row
   */
  default Optional<RowSampler> rowSampler(int vocabulary) {
    return Optional.empty();
  }

  /**
   * Runs the operations of one step of a model. A backend that can record work may, instead of
   * running {@code operations}, repeat what they did in an earlier step with the same owner, cache
   * and numbers of rows and outputs, with the inputs of now. So for equal ones {@code operations}
   * must make the same calls on the same tensors, read no arrays but those of {@code inputs}, and
   * call nothing that waits.
   *
   * @param owner whose operations they are
   * @param cache the cache they use
   */
  default void step(Object owner, KvCache cache, StepInputs inputs, Runnable operations) {
    operations.run();
  }

  /**
   * True if {@link #step} only queues work, so that the caller has time before it asks for what
   * comes of it. Then the next step is worth planning meanwhile, and bringing here by {@link
   * #prepareStep}.
   */
  default boolean queuesSteps() {
    return false;
  }

  /**
   * Takes what the next {@link #step} will probably read, but for the tokens, behind all work that
   * is queued; does not wait. The step compares, and takes anew what differs.
   *
   * @param cache the cache it will use
   */
  default void prepareStep(KvCache cache, StepInputs inputs) {}

  /**
   * Bytes of the device's own memory that are free for a KV cache; empty if the device uses the
   * machine's memory.
   */
  default OptionalLong freeBytes() {
    return OptionalLong.empty();
  }

  @Override
  void close();
}
