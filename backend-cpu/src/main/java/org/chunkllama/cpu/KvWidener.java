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

  private static void bf16(int pairs, int rowBytes, long from, long to) {
    for (int pair = 0; pair < pairs; pair++) {
      long source = (from + (long) pair * rowBytes) & MASK;
      long low = (to + 2L * pair * rowBytes) & MASK;
      long high = (low + rowBytes) & MASK;
      for (int i = 0; i < rowBytes; i += STEP) {
        long at = i & MASK;
        IntVector x = IntVector.fromMemorySegment(INTS, ALL, source + at, ORDER);
        x.lanewise(VectorOperators.LSHL, 16).intoMemorySegment(ALL, low + at, ORDER);
        x.and(0xffff0000).intoMemorySegment(ALL, high + at, ORDER);
      }
    }
  }

  /** Exact for normals and subnormals; {@link KvWriter#half} stores no infinity. */
  private static void half(int pairs, int rowBytes, long from, long to) {
    for (int pair = 0; pair < pairs; pair++) {
      long source = (from + (long) pair * rowBytes) & MASK;
      long low = (to + 2L * pair * rowBytes) & MASK;
      long high = (low + rowBytes) & MASK;
      for (int i = 0; i < rowBytes; i += STEP) {
        long at = i & MASK;
        IntVector x = IntVector.fromMemorySegment(INTS, ALL, source + at, ORDER);
        // The arithmetic shift leaves copies of the sign, which the mask takes away again.
        FloatVector a =
            x.lanewise(VectorOperators.LSHL, 16)
                .lanewise(VectorOperators.ASHR, 3)
                .and(0x8fffe000)
                .reinterpretAsFloats();
        FloatVector b = x.lanewise(VectorOperators.ASHR, 3).and(0x8fffe000).reinterpretAsFloats();
        a.mul(HALF_BIAS).intoMemorySegment(ALL, low + at, ORDER);
        b.mul(HALF_BIAS).intoMemorySegment(ALL, high + at, ORDER);
      }
    }
  }
}
