package org.chunkllama.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** Root-mean-square norm of groups of values: whole rows, or the heads in a row. */
final class RmsNorm extends RowSplit {
  private long in;
  private long inRowBytes;
  private long out;
  private long outRowBytes;
  private long weight;
  private int groups;
  private int values;
  private float epsilon;

  RmsNorm(Workers workers) {
    super(workers);
  }

  /** Norm of each row. */
  void norm(CpuTensor in, int rows, CpuTensor weight, float epsilon, CpuTensor out) {
    this.in = in.address();
    this.inRowBytes = in.rowBytes();
    this.out = out.address();
    this.outRowBytes = out.rowBytes();
    this.weight = weight.address();
    this.groups = 1;
    this.values = weight.columns();
    this.epsilon = epsilon;
    split(rows, values);
  }

  /** Norm of {@code heads} heads from column {@code firstColumn} on, in place. */
  void normHeads(
      CpuTensor inOut, int rows, int firstColumn, int heads, CpuTensor weight, float epsilon) {
    this.in = inOut.address() + 4L * firstColumn;
    this.inRowBytes = inOut.rowBytes();
    this.out = in;
    this.outRowBytes = inRowBytes;
    this.weight = weight.address();
    this.groups = heads;
    this.values = weight.columns();
    this.epsilon = epsilon;
    split(rows, heads * values);
  }

  @Override
  void rows(int first, int end) {
    for (int row = first; row < end; row++) {
      long from = in + row * inRowBytes;
      long to = out + row * outRowBytes;
      for (int group = 0; group < groups; group++) {
        long shift = 4L * group * values;
        group(from + shift, weight, values, epsilon, to + shift);
      }
    }
  }

  private static void group(long in, long weight, int values, float epsilon, long out) {
    float mean = sumOfSquares(in, values) / values;
    float scale = (float) (1 / Math.sqrt(mean + epsilon));
    int bound = VectorShape.FLOATS.loopBound(values);
    int i = 0;
    for (; i < bound; i += VectorShape.LANES) {
      FloatVector x = NativeMemory.load(in + 4L * i).mul(scale);
      NativeMemory.store(x.mul(NativeMemory.load(weight + 4L * i)), out + 4L * i);
    }
    for (; i < values; i++) {
      float x = NativeMemory.get(in + 4L * i) * scale;
      NativeMemory.set(out + 4L * i, x * NativeMemory.get(weight + 4L * i));
    }
  }

  private static float sumOfSquares(long in, int values) {
    FloatVector sum0 = FloatVector.zero(VectorShape.FLOATS);
    FloatVector sum1 = sum0;
    int step = 2 * VectorShape.LANES;
    int i = 0;
    for (; i <= values - step; i += step) {
      FloatVector x0 = NativeMemory.load(in + 4L * i);
      FloatVector x1 = NativeMemory.load(in + 4L * i + 4L * VectorShape.LANES);
      sum0 = x0.fma(x0, sum0);
      sum1 = x1.fma(x1, sum1);
    }
    float sum = sum0.add(sum1).reduceLanes(VectorOperators.ADD);
    for (; i < values; i++) {
      float x = NativeMemory.get(in + 4L * i);
      sum += x * x;
    }
    return sum;
  }
}
