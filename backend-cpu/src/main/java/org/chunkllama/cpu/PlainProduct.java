package org.chunkllama.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import org.jspecify.annotations.Nullable;

/** Products with a row of weights at a time, dequantised to fp32. */
final class PlainProduct implements Workers.Task {
  private static final int OUTPUTS_PER_TASK = 16;

  private final Workers workers;
  private final float[][] scratch;
  private @Nullable CpuMatrix matrix;
  private @Nullable CpuTensor bias;
  private @Nullable CpuTensor in;
  private @Nullable CpuTensor out;
  private int rows;
  private boolean add;

  PlainProduct(Workers workers) {
    this.workers = workers;
    this.scratch = new float[workers.count()][0];
  }

  void multiply(
      CpuMatrix w, @Nullable CpuTensor bias, CpuTensor in, int rows, CpuTensor out, boolean add) {
    this.matrix = w;
    this.bias = bias;
    this.in = in;
    this.out = out;
    this.rows = rows;
    this.add = add;
    workers.run(Math.ceilDiv(w.outputs(), OUTPUTS_PER_TASK), this);
  }

  @Override
  public void run(int index, int worker) {
    CpuMatrix w = matrix;
    CpuTensor from = in;
    CpuTensor to = out;
    if (w == null || from == null || to == null) {
      return;
    }
    if (scratch[worker].length < w.inputs()) {
      scratch[worker] = new float[w.inputs()];
    }
    float[] row = scratch[worker];
    int end = Math.min(w.outputs(), (index + 1) * OUTPUTS_PER_TASK);
    for (int output = index * OUTPUTS_PER_TASK; output < end; output++) {
      w.row(output, row, 0);
      float start = bias == null ? 0 : NativeMemory.get(bias.address() + 4L * output);
      for (int r = 0; r < rows; r++) {
        long at = to.rowAddress(r) + 4L * output;
        float sum = start + dot(row, from.rowAddress(r), w.inputs());
        NativeMemory.set(at, add ? NativeMemory.get(at) + sum : sum);
      }
    }
  }

  private static float dot(float[] a, long b, int count) {
    FloatVector sum = FloatVector.zero(VectorShape.FLOATS);
    int bound = VectorShape.FLOATS.loopBound(count);
    int i = 0;
    for (; i < bound; i += VectorShape.LANES) {
      sum = FloatVector.fromArray(VectorShape.FLOATS, a, i).fma(NativeMemory.load(b + 4L * i), sum);
    }
    float result = sum.reduceLanes(VectorOperators.ADD);
    for (; i < count; i++) {
      result += a[i] * NativeMemory.get(b + 4L * i);
    }
    return result;
  }
}
