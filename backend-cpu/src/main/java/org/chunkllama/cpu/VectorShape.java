package org.chunkllama.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The vector width of all kernels: the processor's own, at most 512 bits. System property {@code
 * chunkllama.vector.bits} (128, 256 or 512) narrows it, so that every branch is tested on one
 * machine. Constants for the compiler.
 */
final class VectorShape {
  static final String PROPERTY = "chunkllama.vector.bits";

  static final int BITS = bits();

  static final VectorSpecies<Float> FLOATS =
      switch (BITS) {
        case 512 -> FloatVector.SPECIES_512;
        case 256 -> FloatVector.SPECIES_256;
        default -> FloatVector.SPECIES_128;
      };

  static final VectorSpecies<Integer> INTS =
      switch (BITS) {
        case 512 -> IntVector.SPECIES_512;
        case 256 -> IntVector.SPECIES_256;
        default -> IntVector.SPECIES_128;
      };

  /** Floats in a vector: 4, 8 or 16. */
  static final int LANES = BITS / Float.SIZE;

  private VectorShape() {}

  private static int bits() {
    int preferred = Math.clamp(FloatVector.SPECIES_PREFERRED.vectorBitSize(), 128, 512);
    int wanted = Integer.getInteger(PROPERTY, preferred);
    if (wanted != 128 && wanted != 256 && wanted != 512) {
      throw new IllegalArgumentException(
          "system property " + PROPERTY + " must be 128, 256 or 512, not " + wanted);
    }
    return Math.min(wanted, preferred);
  }
}
