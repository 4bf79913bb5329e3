package org.chunkllama.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** Index of the largest value of each row; the lowest among equals. */
final class ArgMax extends RowSplit {
  private long in;
  private long rowBytes;
  private int columns;
  private int[] indices = {};

  ArgMax(Workers workers) {
    super(workers);
  }

  /** As {@link org.chunkllama.spi.Backend#argmax}. */
  void find(CpuTensor in, int rows, int[] indices) {
    this.in = in.address();
    this.rowBytes = in.rowBytes();
    this.columns = in.columns();
    this.indices = indices;
    split(rows, columns);
  }

  @Override
  void rows(int first, int end) {
    for (int row = first; row < end; row++) {
      indices[row] = index(in + row * rowBytes, columns);
    }
  }

  // Two passes: the largest value, then where it first stands. Both run at the speed of the cache.
  private static int index(long in, int columns) {
    float max = max(in, columns);
    int bound = VectorShape.FLOATS.loopBound(columns);
    int i = 0;
    for (; i < bound; i += VectorShape.LANES) {
      var equal = NativeMemory.load(in + 4L * i).compare(VectorOperators.EQ, max);
      if (equal.anyTrue()) {
        return i + equal.firstTrue();
      }
    }
    for (; i < columns; i++) {
      if (NativeMemory.get(in + 4L * i) == max) {
        return i;
      }
    }
    return 0; // all NaN
  }

  private static float max(long in, int columns) {
    FloatVector max = FloatVector.broadcast(VectorShape.FLOATS, Float.NEGATIVE_INFINITY);
    int bound = VectorShape.FLOATS.loopBound(columns);
    int i = 0;
    for (; i < bound; i += VectorShape.LANES) {
      FloatVector x = NativeMemory.load(in + 4L * i);
      // A NaN compares false and is passed over.
      max = max.blend(x, x.compare(VectorOperators.GT, max));
    }
    float result = max.reduceLanes(VectorOperators.MAX);
    for (; i < columns; i++) {
      float x = NativeMemory.get(in + 4L * i);
      result = x > result ? x : result;
    }
    return result;
  }
}
