package org.chunkllama.cpu;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** Loads small integers and short floats, one per lane. */
final class Widen {
  private static final int LANES = VectorShape.LANES;
  private static final VectorSpecies<Byte> BYTES =
      LANES == 16 ? ByteVector.SPECIES_128 : ByteVector.SPECIES_64;
  private static final VectorSpecies<Short> SHORTS =
      switch (LANES) {
        case 16 -> ShortVector.SPECIES_256;
        case 8 -> ShortVector.SPECIES_128;
        default -> ShortVector.SPECIES_64;
      };
  // Four lanes have no byte vector of their length: each lane shifts its byte out of one word.
  private static final IntVector BYTE_SHIFTS = IntVector.broadcast(VectorShape.INTS, 0).addIndex(8);

  private Widen() {}

  /** Unsigned bytes from {@code address} on. */
  static IntVector unsignedBytes(long address) {
    if (LANES == 4) {
      return word(address).lanewise(VectorOperators.LSHR, BYTE_SHIFTS).and(255);
    }
    return (IntVector)
        bytes(address).convertShape(VectorOperators.ZERO_EXTEND_B2I, VectorShape.INTS, 0);
  }

  /** Signed bytes from {@code address} on. */
  static IntVector signedBytes(long address) {
    if (LANES == 4) {
      return word(address)
          .lanewise(VectorOperators.LSHR, BYTE_SHIFTS)
          .lanewise(VectorOperators.LSHL, 24)
          .lanewise(VectorOperators.ASHR, 24);
    }
    return (IntVector) bytes(address).convertShape(VectorOperators.B2I, VectorShape.INTS, 0);
  }

  /** bfloat16 values from {@code address} on. */
  static FloatVector bfloats(long address) {
    return unsignedShorts(address).lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
  }

  /** IEEE half values from {@code address} on, exactly; infinities and NaN keep their kind. */
  static FloatVector halves(long address) {
    IntVector bits = unsignedShorts(address);
    IntVector magnitude = bits.and(0x7fff).lanewise(VectorOperators.LSHL, 13);
    IntVector sign = bits.and(0x8000).lanewise(VectorOperators.LSHL, 16);
    // The exponent's bias is 112 larger in a float; the product also normalises subnormals.
    FloatVector scaled = magnitude.reinterpretAsFloats().mul(0x1p112f);
    var special = magnitude.compare(VectorOperators.GE, 0x7c00 << 13);
    IntVector result = scaled.reinterpretAsInts().blend(magnitude.or(0x7f800000), special).or(sign);
    return result.reinterpretAsFloats();
  }

  /** Integers to floats. */
  static FloatVector floats(IntVector values) {
    return (FloatVector) values.convert(VectorOperators.I2F, 0);
  }

  private static IntVector unsignedShorts(long address) {
    return (IntVector)
        ShortVector.fromMemorySegment(SHORTS, NativeMemory.ALL, address, NativeMemory.ORDER)
            .convertShape(VectorOperators.ZERO_EXTEND_S2I, VectorShape.INTS, 0);
  }

  private static ByteVector bytes(long address) {
    return ByteVector.fromMemorySegment(BYTES, NativeMemory.ALL, address, NativeMemory.ORDER);
  }

  private static IntVector word(long address) {
    return IntVector.broadcast(VectorShape.INTS, NativeMemory.ALL.get(JAVA_INT_UNALIGNED, address));
  }
}
