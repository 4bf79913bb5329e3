package org.chunkllama.spi;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * Stored weights to floats, exactly: every operation rounds as GGML's reference code does, so two
 * readers of one file get the same bits.
 *
 * <p>Stateless and thread-safe. One call per row; no allocation.
 */
public final class Dequantizer {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private Dequantizer() {}

  /**
   * Dequantises one row, or any run of whole blocks.
   *
   * @param type how the values are stored
   * @param data holds the row
   * @param byteOffset where the row begins in {@code data}
   * @param columns values to read; a multiple of the type's block
   * @param out gets {@code columns} floats from {@code outOffset} on
   * @param outOffset index in {@code out}
   * @throws IllegalArgumentException if {@code columns} is not a multiple of the block
   * @throws IndexOutOfBoundsException if {@code data} or {@code out} is too short
   */
  public static void row(
      DType type, MemorySegment data, long byteOffset, int columns, float[] out, int outOffset) {
    long bytes = type.bytes(columns);
    Objects.checkFromIndexSize(byteOffset, bytes, data.byteSize());
    Objects.checkFromIndexSize(outOffset, columns, out.length);
    if (!type.isQuantised()) {
      plain(type, data, byteOffset, columns, out, outOffset);
      return;
    }
    long at = byteOffset;
    for (int i = 0; i < columns; i += type.blockValues(), at += type.blockBytes()) {
      int to = outOffset + i;
      switch (type) {
        case Q8_0 -> q8_0(data, at, out, to);
        case Q4_0 -> q4_0(data, at, out, to);
        case Q4_1 -> q4_1(data, at, out, to);
        case Q4_K -> q4_k(data, at, out, to);
        case Q5_K -> q5_k(data, at, out, to);
        case Q6_K -> q6_k(data, at, out, to);
        case F32, F16, BF16, F8, I8 -> throw new AssertionError(type);
      }
    }
  }

  /** One row of {@code weight} (0-based), {@code weight.columns()} floats. */
  public static void row(WeightTensor weight, int row, float[] out, int outOffset) {
    Objects.checkIndex(row, weight.rows());
    long rowBytes = weight.type().bytes(weight.columns());
    row(weight.type(), weight.data(), row * rowBytes, weight.columns(), out, outOffset);
  }

  private static void plain(
      DType type, MemorySegment data, long at, int columns, float[] out, int to) {
    switch (type) {
      case F32 -> {
        for (int i = 0; i < columns; i++) {
          out[to + i] = Float.intBitsToFloat(data.get(INT, at + 4L * i));
        }
      }
      case F16 -> {
        for (int i = 0; i < columns; i++) {
          out[to + i] = half(data, at + 2L * i);
        }
      }
      case BF16 -> {
        for (int i = 0; i < columns; i++) {
          out[to + i] = Float.intBitsToFloat(data.get(SHORT, at + 2L * i) << 16);
        }
      }
      default -> throw new AssertionError(type);
    }
  }

  // Block: half d, int8 q[32].
  private static void q8_0(MemorySegment data, long at, float[] out, int to) {
    float d = half(data, at);
    for (int i = 0; i < 32; i++) {
      out[to + i] = data.get(ValueLayout.JAVA_BYTE, at + 2 + i) * d;
    }
  }

  // Block: half d, 16 bytes of nibbles; low nibbles are values 0..15, high ones 16..31.
  private static void q4_0(MemorySegment data, long at, float[] out, int to) {
    float d = half(data, at);
    for (int i = 0; i < 16; i++) {
      int q = unsigned(data, at + 2 + i);
      out[to + i] = d * ((q & 15) - 8);
      out[to + 16 + i] = d * ((q >> 4) - 8);
    }
  }

  // Block: half d, half m, nibbles as in q4_0.
  private static void q4_1(MemorySegment data, long at, float[] out, int to) {
    float d = half(data, at);
    float m = half(data, at + 2);
    for (int i = 0; i < 16; i++) {
      int q = unsigned(data, at + 4 + i);
      out[to + i] = d * (q & 15) + m;
      out[to + 16 + i] = d * (q >> 4) + m;
    }
  }

  // Block: half d, half dmin, 12 bytes of 6-bit scales and minima, 128 bytes of nibbles.
  private static void q4_k(MemorySegment data, long at, float[] out, int to) {
    float d = half(data, at);
    float min = half(data, at + 2);
    for (int part = 0; part < 8; part++) {
      float scale = d * scale(data, at + 4, part);
      float offset = min * minimum(data, at + 4, part);
      long from = at + 16 + 32L * (part >> 1);
      int shift = (part & 1) * 4;
      for (int i = 0; i < 32; i++) {
        int q = (unsigned(data, from + i) >> shift) & 15;
        out[to + 32 * part + i] = scale * q - offset;
      }
    }
  }

  // As q4_k with 32 bytes of fifth bits between the scales and the nibbles.
  private static void q5_k(MemorySegment data, long at, float[] out, int to) {
    float d = half(data, at);
    float min = half(data, at + 2);
    for (int part = 0; part < 8; part++) {
      float scale = d * scale(data, at + 4, part);
      float offset = min * minimum(data, at + 4, part);
      long from = at + 48 + 32L * (part >> 1);
      int shift = (part & 1) * 4;
      for (int i = 0; i < 32; i++) {
        int low = (unsigned(data, from + i) >> shift) & 15;
        int high = (unsigned(data, at + 16 + i) >> part) & 1;
        out[to + 32 * part + i] = scale * (low | (high << 4)) - offset;
      }
    }
  }

  // Block: 128 bytes of low nibbles, 64 bytes of high bit pairs, int8 scale[16], half d.
  private static void q6_k(MemorySegment data, long at, float[] out, int to) {
    float d = half(data, at + 208);
    for (int part = 0; part < 8; part++) { // 32 values each
      int quarter = part & 3;
      long low = at + 64L * (part >> 2) + 32L * (quarter & 1);
      long high = at + 128 + 32L * (part >> 2);
      int lowShift = (quarter >> 1) * 4;
      for (int i = 0; i < 32; i++) {
        int q =
            ((unsigned(data, low + i) >> lowShift) & 15)
                | (((unsigned(data, high + i) >> (2 * quarter)) & 3) << 4);
        float scale = d * data.get(ValueLayout.JAVA_BYTE, at + 192 + 2L * part + (i >> 4));
        out[to + 32 * part + i] = scale * (q - 32);
      }
    }
  }

  // Six bits each: bytes 0-3 and 4-7 hold the first four scales and minima, whose top two bits
  // are those of the last four; bytes 8-11 hold the low four bits of the last ones.
  private static int scale(MemorySegment data, long at, int part) {
    return part < 4
        ? unsigned(data, at + part) & 63
        : (unsigned(data, at + part + 4) & 15) | ((unsigned(data, at + part - 4) >> 6) << 4);
  }

  private static int minimum(MemorySegment data, long at, int part) {
    return part < 4
        ? unsigned(data, at + part + 4) & 63
        : (unsigned(data, at + part + 4) >> 4) | ((unsigned(data, at + part) >> 6) << 4);
  }

  private static float half(MemorySegment data, long at) {
    return Float.float16ToFloat(data.get(SHORT, at));
  }

  private static int unsigned(MemorySegment data, long at) {
    return data.get(ValueLayout.JAVA_BYTE, at) & 255;
  }
}
