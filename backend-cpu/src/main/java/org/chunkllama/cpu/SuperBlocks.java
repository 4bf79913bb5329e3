package org.chunkllama.cpu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** GGML's K quants: blocks of 256 values in 8 parts of 32. */
final class SuperBlocks {
  private static final int LANES = VectorShape.LANES;

  private SuperBlocks() {}

  /** As {@link RowDecoder#decode}. */
  static void q4_k(long row, int columns, float[] out, int start) {
    long at = row;
    for (int i = 0; i < columns; i += 256, at += 144) {
      float d = NativeMemory.half(at);
      float min = NativeMemory.half(at + 2);
      for (int part = 0; part < 8; part++) {
        FloatVector scale = broadcast(d * scale(at + 4, part));
        FloatVector offset = broadcast(-min * minimum(at + 4, part));
        long from = at + 16 + 32L * (part >> 1);
        for (int j = 0; j < 32; j += LANES) {
          IntVector q = nibbles(from + j, part & 1);
          Widen.floats(q).fma(scale, offset).intoArray(out, start + i + 32 * part + j);
        }
      }
    }
  }

  /** As {@link RowDecoder#decode}. */
  static void q5_k(long row, int columns, float[] out, int start) {
    long at = row;
    for (int i = 0; i < columns; i += 256, at += 176) {
      float d = NativeMemory.half(at);
      float min = NativeMemory.half(at + 2);
      for (int part = 0; part < 8; part++) {
        FloatVector scale = broadcast(d * scale(at + 4, part));
        FloatVector offset = broadcast(-min * minimum(at + 4, part));
        long from = at + 48 + 32L * (part >> 1);
        for (int j = 0; j < 32; j += LANES) {
          IntVector fifth =
              Widen.unsignedBytes(at + 16 + j).lanewise(VectorOperators.LSHR, part).and(1);
          IntVector q = nibbles(from + j, part & 1).or(fifth.lanewise(VectorOperators.LSHL, 4));
          Widen.floats(q).fma(scale, offset).intoArray(out, start + i + 32 * part + j);
        }
      }
    }
  }

  /** As {@link RowDecoder#decode}. */
  static void q6_k(long row, int columns, float[] out, int start) {
    long at = row;
    for (int i = 0; i < columns; i += 256, at += 210) {
      float d = NativeMemory.half(at + 208);
      for (int part = 0; part < 8; part++) {
        int quarter = part & 3;
        long low = at + 64L * (part >> 2) + 32L * (quarter & 1);
        long high = at + 128 + 32L * (part >> 2);
        for (int j = 0; j < 32; j += LANES) {
          IntVector top =
              Widen.unsignedBytes(high + j).lanewise(VectorOperators.LSHR, 2 * quarter).and(3);
          IntVector q =
              nibbles(low + j, quarter >> 1).or(top.lanewise(VectorOperators.LSHL, 4)).sub(32);
          float scale = d * NativeMemory.ALL.get(JAVA_BYTE, at + 192 + 2L * part + (j >> 4));
          Widen.floats(q).mul(scale).intoArray(out, start + i + 32 * part + j);
        }
      }
    }
  }

  private static IntVector nibbles(long at, int upper) {
    return Widen.unsignedBytes(at).lanewise(VectorOperators.LSHR, 4 * upper).and(15);
  }

  private static FloatVector broadcast(float value) {
    return FloatVector.broadcast(VectorShape.FLOATS, value);
  }

  // Scales and minima are packed as in Dequantizer: six bits each, in 12 bytes.
  static int scale(long at, int part) {
    return part < 4
        ? unsigned(at + part) & 63
        : (unsigned(at + part + 4) & 15) | ((unsigned(at + part - 4) >> 6) << 4);
  }

  static int minimum(long at, int part) {
    return part < 4
        ? unsigned(at + part + 4) & 63
        : (unsigned(at + part + 4) >> 4) | ((unsigned(at + part) >> 6) << 4);
  }

  private static int unsigned(long at) {
    return NativeMemory.ALL.get(JAVA_BYTE, at) & 255;
  }
}
