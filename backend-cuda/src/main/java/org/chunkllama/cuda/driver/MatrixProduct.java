package org.chunkllama.cuda.driver;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One shape of {@code out = in . weight^T}, or {@code out += ...}: descriptors and an algorithm of
 * cuBLASLt, made once. Running it allocates nothing.
 */
public final class MatrixProduct implements AutoCloseable {
  /** Types of inputs and weights; results are fp32. */
  public enum Type {
    F32(0, 0),
    F16(2, 1),
    BF16(14, 2);

    private final int code; // cudaDataType_t
    private final int number;

    Type(int code, int number) {
      this.code = code;
      this.number = number;
    }

    /** What kernels call it ({@code numbers.cuh}). */
    public int number() {
      return number;
    }
  }

  /**
   * The shape.
   *
   * @param outputs rows of the weight
   * @param inputs columns of the weight
   * @param rows rows of in and out
   * @param weightStride values from one row of the weight to the next
   * @param inputStride values from one row of in to the next
   * @param type of weight and in
   * @param add whether results are added to out
   */
  public record Shape(
      int outputs,
      int inputs,
      int rows,
      int weightStride,
      int inputStride,
      Type type,
      boolean add) {
    /** The same with another number of rows. */
    public Shape withRows(int count) {
      return new Shape(outputs, inputs, count, weightStride, inputStride, type, add);
    }
  }

  /** How cuBLASLt is to compute a product, as chosen for one shape. */
  public static final class Algorithm {
    private final MemorySegment value = Arena.ofAuto().allocate(ALGORITHM_BYTES, 8);

    private Algorithm(MemorySegment from) {
      value.copyFrom(from.asSlice(0, ALGORITHM_BYTES));
    }
  }

  private static final int COMPUTE_F32 = 68;
  private static final int DESC_TRANSPOSE_A = 3;
  private static final int TRANSPOSE = 1;
  private static final int PREFERENCE_WORKSPACE = 1;
  private static final int CANDIDATES = 12;
  private static final int TIMED = 4; // products
  private static final int ROUNDS = 2;
  private static final int ALGORITHM_BYTES = 64; // cublasLtMatmulAlgo_t, first in a result
  private static final int RESULT_BYTES = 96; // cublasLtMatmulHeuristicResult_t
  private static final int RESULT_STATE = 72; // behind algorithm and workspace size
  private static final int RESULT_WORKSPACE = 64;

  private final BlasLt blas;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment results = arena.allocate((long) CANDIDATES * RESULT_BYTES, 8);
  private MemorySegment result = results.asSlice(0, RESULT_BYTES);
  private int candidates;
  private final MemorySegment factors = arena.allocate(ValueLayout.JAVA_FLOAT, 2);
  private long desc; // 0: not made
  private long weightLayout;
  private long inputLayout;
  private long outputLayout;
  private final String call;

  /** Takes the algorithm that cuBLASLt's heuristic prefers. The context must be bound. */
  public MatrixProduct(BlasLt blas, Shape shape) {
    this(blas, shape, null);
  }

  /**
   * Takes {@code preferred}, which was chosen for another number of rows, if it does for the shape,
   * otherwise what the heuristic prefers.
   */
  public MatrixProduct(BlasLt blas, Shape shape, @Nullable Algorithm preferred) {
    this.blas = blas;
    this.call = "cublasLtMatmul(" + shape + ")";
    factors.setAtIndex(ValueLayout.JAVA_FLOAT, 0, 1);
    factors.setAtIndex(ValueLayout.JAVA_FLOAT, 1, shape.add() ? 1 : 0);
    // Row-major matrices are column-major ones transposed: out^T = weight . in^T.
    try {
      makeDescriptor();
      weightLayout = layout(shape.type(), shape.inputs(), shape.outputs(), shape.weightStride());
      inputLayout = layout(shape.type(), shape.inputs(), shape.rows(), shape.inputStride());
      outputLayout = layout(Type.F32, shape.outputs(), shape.rows(), shape.outputs());
      if (preferred == null || !isTaken(preferred)) {
        choose();
      }
    } catch (Throwable e) {
      Owned.close(this, e);
      throw e;
    }
  }

  private void makeDescriptor() {
    try {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
      blas.check(
          (int)
              blas.calls.matmulDescCreate().invokeExact(out.address(), COMPUTE_F32, Type.F32.code),
          "cublasLtMatmulDescCreate");
      long created = out.get(ValueLayout.JAVA_LONG, 0);
      desc = created;
      MemorySegment value = arena.allocateFrom(ValueLayout.JAVA_INT, TRANSPOSE);
      blas.check(
          (int)
              blas.calls
                  .matmulDescSet()
                  .invokeExact(created, DESC_TRANSPOSE_A, value.address(), 4L),
          "cublasLtMatmulDescSetAttribute");
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }

  private long layout(Type type, long rows, long columns, long stride) {
    try {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
      blas.check(
          (int)
              blas.calls
                  .layoutCreate()
                  .invokeExact(out.address(), type.code, rows, columns, stride),
          "cublasLtMatrixLayoutCreate");
      return out.get(ValueLayout.JAVA_LONG, 0);
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }

  private boolean isTaken(Algorithm preferred) {
    try {
      int status =
          (int)
              blas.calls
                  .algorithmCheck()
                  .invokeExact(
                      blas.handle,
                      desc,
                      weightLayout,
                      inputLayout,
                      outputLayout,
                      outputLayout,
                      preferred.value.address(),
                      result.address());
      result.copyFrom(preferred.value);
      return status == 0
          && result.get(ValueLayout.JAVA_LONG, RESULT_WORKSPACE) <= blas.workspace.bytes();
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    } finally {
      Reference.reachabilityFence(preferred); // its memory is read by address
    }
  }

  private void choose() {
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment out = scratch.allocate(ValueLayout.JAVA_LONG);
      blas.check(
          (int) blas.calls.preferenceCreate().invokeExact(out.address()),
          "cublasLtMatmulPreferenceCreate");
      long preference = out.get(ValueLayout.JAVA_LONG, 0);
      MemorySegment found = scratch.allocate(ValueLayout.JAVA_INT);
      try {
        MemorySegment bytes = scratch.allocateFrom(ValueLayout.JAVA_LONG, blas.workspace.bytes());
        blas.check(
            (int)
                blas.calls
                    .preferenceSet()
                    .invokeExact(preference, PREFERENCE_WORKSPACE, bytes.address(), 8L),
            "cublasLtMatmulPreferenceSetAttribute");
        blas.check(
            (int)
                blas.calls
                    .heuristic()
                    .invokeExact(
                        blas.handle,
                        desc,
                        weightLayout,
                        inputLayout,
                        outputLayout,
                        outputLayout,
                        preference,
                        CANDIDATES,
                        results.address(),
                        found.address()),
            "cublasLtMatmulAlgoGetHeuristic for " + call);
      } finally {
        blas.check(
            (int) blas.calls.preferenceDestroy().invokeExact(preference),
            "cublasLtMatmulPreferenceDestroy");
      }
      candidates = found.get(ValueLayout.JAVA_INT, 0);
      if (candidates == 0 || result.get(ValueLayout.JAVA_INT, RESULT_STATE) != 0) {
        throw new CudaException("cuBLASLt has no algorithm for " + call);
      }
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }

  /** The algorithm it has. */
  public Algorithm algorithm() {
    return new Algorithm(result);
  }

  /**
   * Times the candidates of the heuristic on the GPU and keeps the fastest. Waits.
   *
   * @param weights read in turn: together they should exceed the GPU's cache, as a model's weights
   *     do
   * @param scratch gets results that nobody wants, {@code outputs * rows} floats
   */
  public void tune(
      CudaContext context,
      List<DeviceMemory> weights,
      DeviceMemory in,
      DeviceMemory scratch,
      CudaStream stream) {
    MemorySegment best = result;
    double bestMicros = Double.POSITIVE_INFINITY;
    try (CudaEvent start = new CudaEvent(context);
        CudaEvent end = new CudaEvent(context)) {
      for (int i = 0; i < candidates; i++) {
        result = results.asSlice((long) i * RESULT_BYTES, RESULT_BYTES);
        if (result.get(ValueLayout.JAVA_INT, RESULT_STATE) == 0) {
          double micros = time(weights, in, scratch, stream, start, end);
          if (micros < bestMicros) {
            bestMicros = micros;
            best = result;
          }
        }
      }
    }
    result = best;
  }

  private double time(
      List<DeviceMemory> weights,
      DeviceMemory in,
      DeviceMemory scratch,
      CudaStream stream,
      CudaEvent start,
      CudaEvent end) {
    run(weights.getFirst(), in, scratch, stream); // its first call loads it
    int count = weights.size() == 1 ? TIMED / 2 : TIMED; // a large one takes long
    double best = Double.POSITIVE_INFINITY;
    // A host that has just begun takes longer for a call than the GPU for the product.
    try (CudaGraph graph =
        stream.record(() -> {
          for (int i = 1; i <= count; i++) {
            run(weights.get(i % weights.size()), in, scratch, stream);
          }
        })) {
      for (int i = 0; i < ROUNDS; i++) {
        graph.launch(stream); // the GPU is busy until all below is queued
        start.record(stream);
        graph.launch(stream);
        end.record(stream);
        end.synchronize();
        best = Math.min(best, end.microsSince(start));
      }
    }
    return best;
  }

  /** Queues the product. */
  public void run(DeviceMemory weight, DeviceMemory in, DeviceMemory out, CudaStream stream) {
    try {
      blas.check(
          (int)
              blas.calls
                  .matmul()
                  .invokeExact(
                      blas.handle,
                      desc,
                      factors.address(),
                      weight.address(0),
                      weightLayout,
                      in.address(0),
                      inputLayout,
                      factors.address() + 4,
                      out.address(0),
                      outputLayout,
                      out.address(0),
                      outputLayout,
                      result.address(),
                      blas.workspace.address(0),
                      result.get(ValueLayout.JAVA_LONG, RESULT_WORKSPACE),
                      stream.handle),
          call);
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }

  @Override
  public void close() {
    try { // all of it, before anything is checked
      int first = destroyLayout(weightLayout);
      int second = destroyLayout(inputLayout);
      int third = destroyLayout(outputLayout);
      int last = desc == 0 ? 0 : (int) blas.calls.matmulDescDestroy().invokeExact(desc);
      blas.check(first != 0 ? first : second != 0 ? second : third, "cublasLtMatrixLayoutDestroy");
      blas.check(last, "cublasLtMatmulDescDestroy");
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    } finally {
      arena.close();
    }
  }

  private int destroyLayout(long layout) throws Throwable {
    return layout == 0 ? 0 : (int) blas.calls.layoutDestroy().invokeExact(layout);
  }
}
