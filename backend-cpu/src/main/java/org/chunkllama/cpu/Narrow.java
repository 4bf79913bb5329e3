package org.chunkllama.cpu;

import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** fp32 to bfloat16, rounded to nearest, ties to even. */
final class Narrow {
  private static final int LANES = VectorShape.LANES;
  private static final VectorSpecies<Short> SHORTS =
      switch (LANES) {
        case 16 -> ShortVector.SPECIES_256;
        case 8 -> ShortVector.SPECIES_128;
        default -> ShortVector.SPECIES_64;
      };

  private Narrow() {}

  /** {@code count} values of an array to {@code to}. */
  static void bfloats(float[] from, int count, long to) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      store(FloatVector.fromArray(VectorShape.FLOATS, from, i), to + 2L * i);
    }
    for (; i < count; i++) {
      NativeMemory.ALL.set(JAVA_SHORT_UNALIGNED, to + 2L * i, bfloat(from[i]));
    }
  }

  /** {@code count} values at address {@code from} to {@code to}. */
  static void bfloats(long from, int count, long to) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      store(NativeMemory.load(from + 4L * i), to + 2L * i);
    }
    for (; i < count; i++) {
      short value = bfloat(NativeMemory.get(from + 4L * i));
      NativeMemory.ALL.set(JAVA_SHORT_UNALIGNED, to + 2L * i, value);
    }
  }

  private static void store(FloatVector values, long to) {
    IntVector bits = values.reinterpretAsInts();
    IntVector odd = bits.lanewise(VectorOperators.LSHR, 16).and(1);
    IntVector rounded = bits.add(0x7fff).add(odd).lanewise(VectorOperators.LSHR, 16);
    ((ShortVector) rounded.convertShape(VectorOperators.I2S, SHORTS, 0))
        .intoMemorySegment(NativeMemory.ALL, to, NativeMemory.ORDER);
  }

  private static short bfloat(float value) {
    int bits = Float.floatToRawIntBits(value);
    return (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
  }
}
