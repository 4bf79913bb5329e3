package org.chunkllama.cpu;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A matrix in bf16 as oneDNN likes it, cut into slices of outputs so that each worker multiplies by
 * itself, and the products made for it so far.
 */
final class OneDnnWeights implements AutoCloseable {
  private static final int SLICES_PER_WORKER = 2;
  private static final int SLICE_GRAIN = 32;
  private static final int ROWS_TO_CHOOSE_BY = 64;

  /** Products for this many rows at most; more rows are several products. */
  static final int ROWS_MAX = 256;

  private static final int ROWS_GRAIN = 16;
  private static final int WIDTHS = 3; // wider slices, the others, the last, which may be cut
  private static final int SIZES = ROWS_GRAIN + ROWS_MAX / ROWS_GRAIN;

  private final OneDnnEngine engine;
  private final int outputs;
  private final int inputs;
  private final int grains; // of a slice
  private final int wider; // slices from the first on that have one grain more
  private final int slices;
  private final long[] packed; // addresses, by slice
  private final long[] descs; // by slice
  private final LargeMemory memory;
  private final long bytes;
  private final @Nullable OneDnnMatmul[] products; // [width][add][size]
  private int stride;

  OneDnnWeights(OneDnnEngine engine, CpuMatrix matrix, Workers workers) {
    this.engine = engine;
    this.outputs = matrix.outputs();
    this.inputs = matrix.inputs();
    int grains = Math.ceilDiv(outputs, SLICE_GRAIN);
    this.slices = Math.min(grains, engine.workers * SLICES_PER_WORKER);
    this.grains = grains / slices;
    this.wider = grains % slices;
    this.stride = Math.ceilDiv(outputs, CpuTensor.ROW_ALIGNMENT) * CpuTensor.ROW_ALIGNMENT;
    this.packed = new long[slices];
    this.descs = new long[slices];
    this.products = new OneDnnMatmul[WIDTHS * 2 * SIZES];
    long total = 0;
    for (int i = 0; i < slices; i++) {
      descs[i] = engine.matmul(shape(ROWS_TO_CHOOSE_BY, i, false, 0)).weightsDesc();
      packed[i] = total;
      total += (engine.size(descs[i]) + 63) & -64;
    }
    this.bytes = total;
    this.memory = new LargeMemory(total);
    for (int i = 0; i < slices; i++) {
      packed[i] += memory.address();
    }
    pack(matrix, workers);
  }

  /** About what the copy of a matrix takes. */
  static long bytes(CpuMatrix matrix) {
    return 2L * matrix.inputs() * matrix.outputs();
  }

  private OneDnnMatmul.Shape shape(int rows, int slice, boolean add, long weights) {
    return new OneDnnMatmul.Shape(rows, outputs(slice), inputs, OneDnn.BF16, stride, add, weights);
  }

  private void pack(CpuMatrix matrix, Workers workers) {
    for (int slice = 0; slice < slices; slice++) {
      int count = outputs(slice);
      int first = first(slice);
      try (LargeMemory plain = new LargeMemory(2L * count * inputs)) {
        float[][] rows = new float[workers.count()][inputs];
        workers.run(
            count,
            (i, worker) -> {
              matrix.decode(first + i, rows[worker], 0);
              Narrow.bfloats(rows[worker], inputs, plain.address() + 2L * i * inputs);
            });
        reorder(plain.address(), count, slice);
      }
    }
  }

  /** Rows of outputs to the order that the product chose. */
  private void reorder(long plain, int count, int slice) {
    OneDnn lib = engine.lib;
    long from = engine.matrixDesc(inputs, count, OneDnn.BF16, 1, inputs);
    long src = engine.memory(from, plain);
    long dst = engine.memory(descs[slice], packed[slice]);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(JAVA_LONG);
      long p = out.address();
      long e = engine.handle();
      int status = (int) lib.reorderDescCreate().invokeExact(p, from, e, descs[slice], e, 0L);
      OneDnn.check(status, "dnnl_reorder_primitive_desc_create");
      long desc = out.get(JAVA_LONG, 0);
      long primitive = engine.create(lib.primitiveCreate(), "dnnl_primitive_create", desc);
      MemorySegment args = arena.allocate(32, 8);
      args.set(JAVA_INT, 0, OneDnn.ARG_SRC); // DNNL_ARG_FROM
      args.set(JAVA_LONG, 8, src);
      args.set(JAVA_INT, 16, OneDnn.ARG_DST); // DNNL_ARG_TO
      args.set(JAVA_LONG, 24, dst);
      lib.setThreads().invokeExact(1);
      status =
          (int) lib.primitiveExecute().invokeExact(primitive, engine.stream(0), 2, args.address());
      OneDnn.check(status, "dnnl_primitive_execute(reorder)");
      OneDnn.check((int) lib.streamWait().invokeExact(engine.stream(0)), "dnnl_stream_wait");
      OneDnnEngine.destroy(lib.primitiveDestroy(), "dnnl_primitive_destroy", primitive);
      OneDnnEngine.destroy(lib.primitiveDescDestroy(), "dnnl_primitive_desc_destroy", desc);
    } catch (OneDnnException e) {
      throw e;
    } catch (Throwable e) {
      throw OneDnn.unexpected(e);
    }
    OneDnnEngine.destroy(lib.memoryDestroy(), "dnnl_memory_destroy", src);
    OneDnnEngine.destroy(lib.memoryDestroy(), "dnnl_memory_destroy", dst);
    OneDnnEngine.destroy(lib.memoryDescDestroy(), "dnnl_memory_desc_destroy", from);
  }

  /** Slices of outputs. */
  int slices() {
    return slices;
  }

  /** First output of a slice. */
  int first(int slice) {
    return (slice * grains + Math.min(slice, wider)) * SLICE_GRAIN;
  }

  private int outputs(int slice) {
    return Math.min(first(slice + 1), outputs) - first(slice);
  }

  /** Address of a slice's packed weights. */
  long data(int slice) {
    return packed[slice];
  }

  /** Rows that the next product takes of {@code rows} that are left: few sizes, kept compiled. */
  static int step(int rows) {
    return rows >= ROWS_GRAIN ? Math.min(ROWS_MAX, rows / ROWS_GRAIN * ROWS_GRAIN) : rows;
  }

  /** Makes the products that {@code rows} rows need. Call before the workers start. */
  void prepare(int rows, int outStride, boolean add) {
    if (outStride != stride) {
      stride = outStride;
      Arrays.fill(products, null);
    }
    for (int left = Math.min(rows, ROWS_MAX); left > 0; left -= step(left)) {
      prepareStep(step(left), add);
    }
    int rest = rows % ROWS_MAX;
    for (int left = rest; left > 0; left -= step(left)) {
      prepareStep(step(left), add);
    }
  }

  private void prepareStep(int rows, boolean add) {
    prepareSlice(0, rows, add);
    prepareSlice(Math.min(wider, slices - 1), rows, add);
    prepareSlice(slices - 1, rows, add);
  }

  private void prepareSlice(int slice, int rows, boolean add) {
    int i = index(slice, rows, add);
    if (products[i] == null) {
      products[i] = engine.matmul(shape(rows, slice, add, descs[slice]));
    }
  }

  /** The product of a slice for {@link #step} rows; {@link #prepare} made it. */
  OneDnnMatmul product(int slice, int rows, boolean add) {
    OneDnnMatmul product = products[index(slice, rows, add)];
    if (product == null) {
      throw new IllegalStateException("no product prepared for " + rows + " rows");
    }
    return product;
  }

  private int index(int slice, int rows, boolean add) {
    int size = rows < ROWS_GRAIN ? rows : ROWS_GRAIN - 1 + rows / ROWS_GRAIN;
    int width = slice == slices - 1 ? 2 : slice < wider ? 0 : 1;
    return (width * 2 + (add ? 1 : 0)) * SIZES + size;
  }

  long bytes() {
    return bytes;
  }

  @Override
  public void close() {
    memory.close();
  }
}
