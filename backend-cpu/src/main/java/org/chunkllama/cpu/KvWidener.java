package org.chunkllama.cpu;

import static org.chunkllama.cpu.NativeMemory.ALL;
import static org.chunkllama.cpu.NativeMemory.MASK;
import static org.chunkllama.cpu.NativeMemory.ORDER;
import static org.chunkllama.cpu.VectorShape.INTS;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import org.chunkllama.spi.DType;

/**
 * Widens rows of pairs to fp32: a row of {@code lanes} 32-bit pairs becomes two rows of {@code
 * lanes} floats, the low halves first. That turns {@code [n / 2][lanes][2]} of either block into
 * {@code [n][lanes]}.
 */
final class KvWidener {
  private static final int STEP = 4 * VectorShape.LANES;

  /** A half's exponent has another bias: its bits, moved into place, are worth 2^-112 as much. */
  private static final float HALF_BIAS = 0x1p112f;

  private KvWidener() {}

  /** {@code lanes} is a multiple of 16. */
  static void widen(DType type, int pairs, int lanes, long from, long to) {
    if (type == DType.BF16) {
      bf16(pairs, 4 * lanes, from, to);
    } else {
      half(pairs, 4 * lanes, from, to);
    }
  }

  // One flat loop: a loop over the vectors of a row, only 1 to 16 of them, costs more to enter than
  // its work.
  private static void bf16(int pairs, int rowBytes, long from, long to) {
    long low = to;
    int column = 0;
    long bytes = (long) pairs * rowBytes;
    for (long at = 0; at < bytes; at += STEP) {
      IntVector x = IntVector.fromMemorySegment(INTS, ALL, (from + at) & MASK, ORDER);
      x.lanewise(VectorOperators.LSHL, 16).intoMemorySegment(ALL, low & MASK, ORDER);
      x.and(0xffff0000).intoMemorySegment(ALL, (low + rowBytes) & MASK, ORDER);
      low += STEP;
      column += STEP;
      if (column == rowBytes) {
        column = 0;
        low += rowBytes;
      }
    }
  }

  /** Exact for normals and subnormals; {@link KvWriter#half} stores no infinity. */
  private static void half(int pairs, int rowBytes, long from, long to) {
    long low = to;
    int column = 0;
    long bytes = (long) pairs * rowBytes;
    for (long at = 0; at < bytes; at += STEP) {
      IntVector x = IntVector.fromMemorySegment(INTS, ALL, (from + at) & MASK, ORDER);
      // The arithmetic shift leaves copies of the sign, which the mask takes away again.
      FloatVector a =
          x.lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 3)
              .and(0x8fffe000)
              .reinterpretAsFloats();
      FloatVector b = x.lanewise(VectorOperators.ASHR, 3).and(0x8fffe000).reinterpretAsFloats();
      a.mul(HALF_BIAS).intoMemorySegment(ALL, low & MASK, ORDER);
      b.mul(HALF_BIAS).intoMemorySegment(ALL, (low + rowBytes) & MASK, ORDER);
      low += STEP;
      column += STEP;
      if (column == rowBytes) {
        column = 0;
        low += rowBytes;
      }
    }
  }
}
