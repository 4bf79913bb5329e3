package org.chunkllama.cpu;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import org.jspecify.annotations.Nullable;

/**
 * Products that read the weights where they lie, in whatever type: two outputs at a time are
 * decoded to fp32 in the first-level cache and multiplied with up to four rows at once. For one row
 * or few, where reading the weights is the work.
 */
final class RowProduct implements MatrixProduct, Workers.Task {
  private static final int LANES = VectorShape.LANES;
  private static final int TASKS_PER_THREAD = 6;

  private final Workers workers;
  private final float[][] scratch; // [worker][2 * inputs, each padded]
  private final float[][] sums; // [worker][4 rows][2 outputs][lanes]
  private final ProductCall call = new ProductCall();
  private @Nullable CpuMatrix matrix;
  private int outputsPerTask;

  RowProduct(Workers workers) {
    this.workers = workers;
    this.scratch = new float[workers.count()][0];
    this.sums = new float[workers.count()][8 * LANES];
  }

  @Override
  public void multiply(
      CpuMatrix w, @Nullable CpuTensor bias, CpuTensor in, int rows, CpuTensor out, boolean add) {
    matrix = w;
    call.set(w, bias, in, rows, out, add);
    // Even, so that only the last task has a single output left.
    outputsPerTask = Math.ceilDiv(w.outputs(), 2 * workers.count() * TASKS_PER_THREAD) * 2;
    workers.run(Math.ceilDiv(w.outputs(), outputsPerTask), this);
  }

  @Override
  public void run(int index, int worker) {
    CpuMatrix w = matrix;
    if (w == null) {
      throw new IllegalStateException("no product");
    }
    int padded = Math.ceilDiv(call.inputs, CpuTensor.ROW_ALIGNMENT) * CpuTensor.ROW_ALIGNMENT;
    if (scratch[worker].length < 2 * padded) {
      scratch[worker] = new float[2 * padded];
    }
    float[] pair = scratch[worker];
    // Behind the inputs both factors are read: the activations are zero there, so these must be
    // finite.
    Arrays.fill(pair, call.inputs, padded, 0);
    Arrays.fill(pair, padded + call.inputs, 2 * padded, 0);
    int end = Math.min(call.outputs, (index + 1) * outputsPerTask);
    for (int output = index * outputsPerTask; output < end; output += 2) {
      int second = Math.min(output + 1, end - 1); // the last one may stand in for its own partner
      w.decode(output, pair, 0);
      w.decode(second, pair, padded);
      for (int row = 0; row < call.rows; row += 4) {
        int rows = Math.min(4, call.rows - row);
        if (rows == 1) {
          tile1(pair, padded, row, sums[worker]);
        } else {
          tile4(pair, padded, row, sums[worker]);
        }
        put(sums[worker], rows, row, output, second);
      }
    }
  }

  private void tile1(float[] w, int padded, int row, float[] sums) {
    FloatVector a = FloatVector.zero(VectorShape.FLOATS);
    FloatVector b = a;
    FloatVector a2 = a;
    FloatVector b2 = a;
    long x = call.in + row * call.inRowBytes;
    int k = 0;
    for (; k <= padded - 2 * LANES; k += 2 * LANES) {
      FloatVector x0 = NativeMemory.load(x + 4L * k);
      FloatVector x1 = NativeMemory.load(x + 4L * k + 4L * LANES);
      a = x0.fma(weights(w, k), a);
      b = x0.fma(weights(w, padded + k), b);
      a2 = x1.fma(weights(w, k + LANES), a2);
      b2 = x1.fma(weights(w, padded + k + LANES), b2);
    }
    for (; k < padded; k += LANES) {
      FloatVector x0 = NativeMemory.load(x + 4L * k);
      a = x0.fma(weights(w, k), a);
      b = x0.fma(weights(w, padded + k), b);
    }
    a.add(a2).intoArray(sums, 0);
    b.add(b2).intoArray(sums, LANES);
  }

  /** Rows [row, row + 4); those behind the last are the last again, computed and not written. */
  private void tile4(float[] w, int padded, int row, float[] sums) {
    int last = call.rows - 1;
    long x0 = call.in + row * call.inRowBytes;
    long x1 = call.in + Math.min(row + 1, last) * call.inRowBytes;
    long x2 = call.in + Math.min(row + 2, last) * call.inRowBytes;
    long x3 = call.in + Math.min(row + 3, last) * call.inRowBytes;
    FloatVector a0 = FloatVector.zero(VectorShape.FLOATS);
    FloatVector a1 = a0;
    FloatVector a2 = a0;
    FloatVector a3 = a0;
    FloatVector b0 = a0;
    FloatVector b1 = a0;
    FloatVector b2 = a0;
    FloatVector b3 = a0;
    for (int k = 0; k < padded; k += LANES) {
      FloatVector wa = weights(w, k);
      FloatVector wb = weights(w, padded + k);
      FloatVector x = NativeMemory.load(x0 + 4L * k);
      a0 = wa.fma(x, a0);
      b0 = wb.fma(x, b0);
      x = NativeMemory.load(x1 + 4L * k);
      a1 = wa.fma(x, a1);
      b1 = wb.fma(x, b1);
      x = NativeMemory.load(x2 + 4L * k);
      a2 = wa.fma(x, a2);
      b2 = wb.fma(x, b2);
      x = NativeMemory.load(x3 + 4L * k);
      a3 = wa.fma(x, a3);
      b3 = wb.fma(x, b3);
    }
    a0.intoArray(sums, 0);
    b0.intoArray(sums, LANES);
    a1.intoArray(sums, 2 * LANES);
    b1.intoArray(sums, 3 * LANES);
    a2.intoArray(sums, 4 * LANES);
    b2.intoArray(sums, 5 * LANES);
    a3.intoArray(sums, 6 * LANES);
    b3.intoArray(sums, 7 * LANES);
  }

  private static FloatVector weights(float[] w, int at) {
    return FloatVector.fromArray(VectorShape.FLOATS, w, at);
  }

  /** Adds up the lanes of {@code rows} pairs of sums and writes them. */
  private void put(float[] sums, int rows, int row, int first, int second) {
    for (int r = 0; r < rows; r++) {
      call.put(row + r, first, lanes(sums, 2 * r * LANES));
      if (second != first) {
        call.put(row + r, second, lanes(sums, (2 * r + 1) * LANES));
      }
    }
  }

  private static float lanes(float[] sums, int at) {
    return FloatVector.fromArray(VectorShape.FLOATS, sums, at).reduceLanes(VectorOperators.ADD);
  }
}
