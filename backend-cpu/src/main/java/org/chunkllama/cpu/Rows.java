package org.chunkllama.cpu;

import static org.chunkllama.cpu.NativeMemory.ALL;
import static org.chunkllama.cpu.NativeMemory.MASK;
import static org.chunkllama.cpu.NativeMemory.ORDER;
import static org.chunkllama.cpu.VectorShape.FLOATS;
import static org.chunkllama.cpu.VectorShape.LANES;

import jdk.incubator.vector.FloatVector;

/** Rows of floats in native memory. */
final class Rows {
  private Rows() {}

  /** {@code to[0, count) = from * factor}, {@code to[count, padded) = 0}. */
  static void scaledCopy(long from, int count, float factor, long to, int padded) {
    long source = from & MASK;
    long target = to & MASK;
    int whole = FLOATS.loopBound(count);
    for (int i = 0; i < whole; i += LANES) {
      long at = (4L * i) & MASK;
      FloatVector x = FloatVector.fromMemorySegment(FLOATS, ALL, source + at, ORDER);
      x.mul(factor).intoMemorySegment(ALL, target + at, ORDER);
    }
    for (int i = whole; i < count; i++) {
      NativeMemory.set(to + 4L * i, NativeMemory.get(from + 4L * i) * factor);
    }
    for (int i = count; i < padded; i++) {
      NativeMemory.set(to + 4L * i, 0);
    }
  }

  /** {@code values[0, count) *= factor}; {@code count} is a multiple of the lanes. */
  static void scale(long values, int count, float factor) {
    scaledCopy(values, count, factor, values, count);
  }

  /** {@code values[0, count) = 0}; {@code count} is a multiple of the lanes. */
  static void clear(long values, int count) {
    long target = values & MASK;
    for (int i = 0; i < count; i += LANES) {
      FloatVector.zero(FLOATS).intoMemorySegment(ALL, target + ((4L * i) & MASK), ORDER);
    }
  }

  /** {@code sum[0, count) += values}; {@code count} is a multiple of the lanes. */
  static void add(long values, long sum, int count) {
    long source = values & MASK;
    long target = sum & MASK;
    for (int i = 0; i < count; i += LANES) {
      long at = (4L * i) & MASK;
      FloatVector x = FloatVector.fromMemorySegment(FLOATS, ALL, source + at, ORDER);
      FloatVector.fromMemorySegment(FLOATS, ALL, target + at, ORDER)
          .add(x)
          .intoMemorySegment(ALL, target + at, ORDER);
    }
  }

  /** {@code sum[0, count) += values * factor}; {@code count} is a multiple of the lanes. */
  static void addScaled(long values, int count, float factor, long sum) {
    long source = values & MASK;
    long target = sum & MASK;
    FloatVector f = FloatVector.broadcast(FLOATS, factor);
    for (int i = 0; i < count; i += LANES) {
      long at = (4L * i) & MASK;
      FloatVector x = FloatVector.fromMemorySegment(FLOATS, ALL, source + at, ORDER);
      f.fma(x, FloatVector.fromMemorySegment(FLOATS, ALL, target + at, ORDER))
          .intoMemorySegment(ALL, target + at, ORDER);
    }
  }
}
