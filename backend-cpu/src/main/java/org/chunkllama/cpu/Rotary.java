package org.chunkllama.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import org.chunkllama.spi.RotaryTable;

/** Rotary embedding, in place. */
final class Rotary extends RowSplit {
  private static final int LANES = VectorShape.LANES;
  // 0 0 1 1 2 2 ..: a pair's cosine for both of its values.
  private static final VectorShuffle<Float> TWICE =
      VectorShuffle.fromOp(VectorShape.FLOATS, i -> i / 2);
  // 1 0 3 2 ..: each value's partner.
  private static final VectorShuffle<Float> SWAP =
      VectorShuffle.fromOp(VectorShape.FLOATS, i -> i ^ 1);
  // -1 1 -1 1 ..
  private static final FloatVector SIGNS = signs();

  private long data;
  private long rowBytes;
  private int heads;
  private int headDim;
  private int half;
  private boolean interleaved;
  private float[] cos = {};
  private float[] sin = {};
  private int[] positions = {};

  Rotary(Workers workers) {
    super(workers);
  }

  /** As {@link org.chunkllama.spi.Backend#rotary}. */
  void rotate(
      CpuTensor inOut,
      int rows,
      int firstColumn,
      int heads,
      int headDim,
      RotaryTable table,
      int[] positions) {
    this.data = inOut.address() + 4L * firstColumn;
    this.rowBytes = inOut.rowBytes();
    this.heads = heads;
    this.headDim = headDim;
    this.half = table.rotatedDim() / 2;
    this.interleaved = table.layout() == RotaryTable.Layout.INTERLEAVED_PAIRS;
    this.cos = table.cos();
    this.sin = table.sin();
    this.positions = positions;
    split(rows, heads * headDim);
  }

  @Override
  void rows(int first, int end) {
    for (int row = first; row < end; row++) {
      long at = data + row * rowBytes;
      int angles = positions[row] * half;
      for (int head = 0; head < heads; head++, at += 4L * headDim) {
        if (interleaved) {
          pairs(at, half, cos, sin, angles);
        } else {
          halves(at, half, cos, sin, angles);
        }
      }
    }
  }

  private static void halves(long at, int half, float[] cos, float[] sin, int angles) {
    int bound = VectorShape.FLOATS.loopBound(half);
    long right = at + 4L * half;
    int i = 0;
    for (; i < bound; i += LANES) {
      FloatVector c = FloatVector.fromArray(VectorShape.FLOATS, cos, angles + i);
      FloatVector s = FloatVector.fromArray(VectorShape.FLOATS, sin, angles + i);
      FloatVector x = NativeMemory.load(at + 4L * i);
      FloatVector y = NativeMemory.load(right + 4L * i);
      NativeMemory.store(x.mul(c).sub(y.mul(s)), at + 4L * i);
      NativeMemory.store(y.mul(c).add(x.mul(s)), right + 4L * i);
    }
    for (; i < half; i++) {
      pair(at + 4L * i, right + 4L * i, cos[angles + i], sin[angles + i]);
    }
  }

  private static void pairs(long at, int half, float[] cos, float[] sin, int angles) {
    int i = 0;
    // A vector holds LANES / 2 pairs; the loads of angles read a whole vector.
    int bound = Math.min(half, cos.length - angles - LANES / 2) - LANES / 2;
    for (; i <= bound; i += LANES / 2) {
      FloatVector c = FloatVector.fromArray(VectorShape.FLOATS, cos, angles + i).rearrange(TWICE);
      FloatVector s = FloatVector.fromArray(VectorShape.FLOATS, sin, angles + i).rearrange(TWICE);
      FloatVector x = NativeMemory.load(at + 8L * i);
      FloatVector y = x.rearrange(SWAP).mul(SIGNS);
      NativeMemory.store(x.mul(c).add(y.mul(s)), at + 8L * i);
    }
    for (; i < half; i++) {
      pair(at + 8L * i, at + 8L * i + 4, cos[angles + i], sin[angles + i]);
    }
  }

  private static void pair(long left, long right, float c, float s) {
    float x = NativeMemory.get(left);
    float y = NativeMemory.get(right);
    NativeMemory.set(left, x * c - y * s);
    NativeMemory.set(right, y * c + x * s);
  }

  private static FloatVector signs() {
    FloatVector ones = FloatVector.broadcast(VectorShape.FLOATS, 1);
    return ones.lanewise(VectorOperators.NEG, VectorMask.fromLong(VectorShape.FLOATS, 0x5555));
  }
}
