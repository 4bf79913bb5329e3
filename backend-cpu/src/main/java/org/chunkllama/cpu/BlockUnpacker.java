package org.chunkllama.cpu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import org.chunkllama.spi.DType;

/** GGML blocks taken apart into what {@link QuantForm} describes. Used once per weight, to pack. */
final class BlockUnpacker {
  private BlockUnpacker() {}

  /**
   * Takes one row apart.
   *
   * @param row address of its first block
   * @param columns a multiple of the type's block
   * @param integers gets {@code [columns]}, unsigned
   * @param scales gets {@code [columns / group]}
   * @param offsets gets {@code [columns / group]}
   */
  static void unpack(
      DType type, long row, int columns, byte[] integers, float[] scales, float[] offsets) {
    long at = row;
    for (int i = 0; i < columns; i += type.blockValues(), at += type.blockBytes()) {
      switch (type) {
        case Q4_0 -> {
          float d = NativeMemory.half(at);
          affine(scales, offsets, i / 32, d, -8 * d, 16);
          nibbles(at + 2, integers, i);
        }
        case Q4_1 -> {
          affine(scales, offsets, i / 32, NativeMemory.half(at), NativeMemory.half(at + 2), 16);
          nibbles(at + 4, integers, i);
        }
        case Q8_0 -> {
          float d = NativeMemory.half(at);
          affine(scales, offsets, i / 32, d, -128 * d, 256);
          for (int j = 0; j < 32; j++) {
            integers[i + j] = (byte) (signed(at + 2 + j) + 128);
          }
        }
        case Q4_K -> q4_k(at, i, integers, scales, offsets);
        case Q5_K -> q5_k(at, i, integers, scales, offsets);
        case Q6_K -> q6_k(at, i, integers, scales, offsets);
        case F32, F16, BF16, F8, I8 ->
            throw new IllegalArgumentException(type + " is not quantised");
      }
    }
  }

  // value = d * q + m = d * range * (1 + q / range) + (m - d * range)
  private static void affine(
      float[] scales, float[] offsets, int group, float d, float m, int range) {
    scales[group] = d * range;
    offsets[group] = m - d * range;
  }

  private static void nibbles(long at, byte[] integers, int to) {
    for (int j = 0; j < 16; j++) {
      int q = unsigned(at + j);
      integers[to + j] = (byte) (q & 15);
      integers[to + 16 + j] = (byte) (q >> 4);
    }
  }

  private static void q4_k(long at, int to, byte[] integers, float[] scales, float[] offsets) {
    for (int part = 0; part < 8; part++) {
      affineOfPart(at, part, to / 32 + part, scales, offsets, 16);
      long from = at + 16 + 32L * (part >> 1);
      int shift = (part & 1) * 4;
      for (int j = 0; j < 32; j++) {
        integers[to + 32 * part + j] = (byte) ((unsigned(from + j) >> shift) & 15);
      }
    }
  }

  // Five bits at the top of eight.
  private static void q5_k(long at, int to, byte[] integers, float[] scales, float[] offsets) {
    for (int part = 0; part < 8; part++) {
      affineOfPart(at, part, to / 32 + part, scales, offsets, 32);
      long from = at + 48 + 32L * (part >> 1);
      int shift = (part & 1) * 4;
      for (int j = 0; j < 32; j++) {
        int low = (unsigned(from + j) >> shift) & 15;
        int fifth = (unsigned(at + 16 + j) >> part) & 1;
        integers[to + 32 * part + j] = (byte) ((low | (fifth << 4)) << 3);
      }
    }
  }

  private static void affineOfPart(
      long at, int part, int group, float[] scales, float[] offsets, int range) {
    float d = NativeMemory.half(at) * SuperBlocks.scale(at + 4, part);
    float m = -NativeMemory.half(at + 2) * SuperBlocks.minimum(at + 4, part);
    affine(scales, offsets, group, d, m, range);
  }

  // Six bits at the top of eight, a scale for 16 values.
  private static void q6_k(long at, int to, byte[] integers, float[] scales, float[] offsets) {
    float d = NativeMemory.half(at + 208);
    for (int part = 0; part < 8; part++) {
      int quarter = part & 3;
      long low = at + 64L * (part >> 2) + 32L * (quarter & 1);
      long high = at + 128 + 32L * (part >> 2);
      int lowShift = (quarter >> 1) * 4;
      for (int half = 0; half < 2; half++) {
        float scale = d * signed(at + 192 + 2L * part + half);
        affine(scales, offsets, to / 16 + 2 * part + half, scale, -32 * scale, 64);
      }
      for (int j = 0; j < 32; j++) {
        int q =
            ((unsigned(low + j) >> lowShift) & 15)
                | (((unsigned(high + j) >> (2 * quarter)) & 3) << 4);
        integers[to + 32 * part + j] = (byte) (q << 2);
      }
    }
  }

  private static int unsigned(long at) {
    return signed(at) & 255;
  }

  private static int signed(long at) {
    return NativeMemory.ALL.get(JAVA_BYTE, at);
  }
}
