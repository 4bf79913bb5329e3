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
  private final ProductCall call = new ProductCall();
  private @Nullable CpuMatrix matrix;
  private int outputsPerTask;

  RowProduct(Workers workers) {
    this.workers = workers;
    this.scratch = new float[workers.count()][0];
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
      for (int row = 0; row < call.rows; ) {
        if (call.rows - row == 1) {
          tile1(pair, padded, row, output, second);
          row++;
        } else {
          tile4(pair, padded, row, output, second);
          row += 4;
        }
      }
    }
  }

  private void tile1(float[] w, int padded, int row, int first, int second) {
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
    put(row, first, second, a.add(a2), b.add(b2));
  }

  /** Rows [row, row + 4); those behind the last are the last again, computed and not written. */
  private void tile4(float[] w, int padded, int row, int first, int second) {
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
    put(row, first, second, a0, b0);
    if (row + 1 <= last) {
      put(row + 1, first, second, a1, b1);
    }
    if (row + 2 <= last) {
      put(row + 2, first, second, a2, b2);
    }
    if (row + 3 <= last) {
      put(row + 3, first, second, a3, b3);
    }
  }

  private static FloatVector weights(float[] w, int at) {
    return FloatVector.fromArray(VectorShape.FLOATS, w, at);
  }

  private void put(int row, int first, int second, FloatVector a, FloatVector b) {
    call.put(row, first, a.reduceLanes(VectorOperators.ADD));
    if (second != first) {
      call.put(row, second, b.reduceLanes(VectorOperators.ADD));
    }
  }
}
