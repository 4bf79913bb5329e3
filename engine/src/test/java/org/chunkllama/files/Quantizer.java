package org.chunkllama.files;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.chunkllama.spi.DType;

/**
 * Floats into any weight type, for test models. Crude for the K types (one scale for a whole block)
 * but valid: what {@link org.chunkllama.spi.Dequantizer} reads back is close.
 */
public final class Quantizer {
  private Quantizer() {}

  /**
   * Encodes {@code values}.
   *
   * @return {@code type.bytes(values.length)} bytes
   * @throws IllegalArgumentException if the values do not fill whole blocks
   */
  public static byte[] encode(DType type, float[] values) {
    ByteBuffer out =
        ByteBuffer.allocate((int) type.bytes(values.length)).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < values.length; i += type.blockValues()) {
      switch (type) {
        case F32 -> out.putFloat(values[i]);
        case F16 -> out.putShort(Float.floatToFloat16(values[i]));
        case BF16 -> out.putShort(bfloat16(values[i]));
        case Q8_0 -> q8_0(values, i, out);
        case Q4_0 -> q4_0(values, i, out);
        case Q4_1 -> q4_1(values, i, out);
        case Q4_K -> q4_k(values, i, out);
        case Q5_K -> q5_k(values, i, out);
        case Q6_K -> q6_k(values, i, out);
        case F8, I8 -> throw new IllegalArgumentException(type + " is not a type of weights");
      }
    }
    return out.array();
  }

  private static short bfloat16(float value) { // round to nearest, ties to even
    int bits = Float.floatToRawIntBits(value);
    return (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
  }

  private static void q8_0(float[] values, int at, ByteBuffer out) {
    float d = half(largest(values, at, 32) / 127, out);
    for (int i = 0; i < 32; i++) {
      out.put((byte) step(values[at + i], 0, d, -127, 127));
    }
  }

  private static void q4_0(float[] values, int at, ByteBuffer out) {
    float d = half(largest(values, at, 32) / 7, out);
    for (int i = 0; i < 16; i++) {
      int low = step(values[at + i], 0, d, -8, 7) + 8;
      int high = step(values[at + 16 + i], 0, d, -8, 7) + 8;
      out.put((byte) (low | (high << 4)));
    }
  }

  private static void q4_1(float[] values, int at, ByteBuffer out) {
    float least = least(values, at, 32);
    float d = half((most(values, at, 32) - least) / 15, out);
    float m = half(least, out);
    for (int i = 0; i < 16; i++) {
      int low = step(values[at + i], m, d, 0, 15);
      int high = step(values[at + 16 + i], m, d, 0, 15);
      out.put((byte) (low | (high << 4)));
    }
  }

  private static void q4_k(float[] values, int at, ByteBuffer out) {
    float least = Math.min(0, least(values, at, 256));
    float d = half((most(values, at, 256) - least) / (15 * 63), out) * 63;
    float m = -half(-least / 63, out) * 63;
    scales(out);
    for (int part = 0; part < 8; part += 2) {
      for (int i = 0; i < 32; i++) {
        int low = step(values[at + 32 * part + i], m, d, 0, 15);
        int high = step(values[at + 32 * part + 32 + i], m, d, 0, 15);
        out.put((byte) (low | (high << 4)));
      }
    }
  }

  private static void q5_k(float[] values, int at, ByteBuffer out) {
    float least = Math.min(0, least(values, at, 256));
    float d = half((most(values, at, 256) - least) / (31 * 63), out) * 63;
    float m = -half(-least / 63, out) * 63;
    scales(out);
    for (int i = 0; i < 32; i++) {
      int fifth = 0;
      for (int part = 0; part < 8; part++) {
        fifth |= (step(values[at + 32 * part + i], m, d, 0, 31) >> 4) << part;
      }
      out.put((byte) fifth);
    }
    for (int part = 0; part < 8; part += 2) {
      for (int i = 0; i < 32; i++) {
        int low = step(values[at + 32 * part + i], m, d, 0, 31) & 15;
        int high = step(values[at + 32 * part + 32 + i], m, d, 0, 31) & 15;
        out.put((byte) (low | (high << 4)));
      }
    }
  }

  private static void q6_k(float[] values, int at, ByteBuffer out) {
    float stored = Float.float16ToFloat(Float.floatToFloat16(largest(values, at, 256) / 31 / 64));
    float d = stored * 64;
    int[] q = new int[256];
    for (int i = 0; i < 256; i++) {
      q[i] = step(values[at + i], 0, d, -32, 31) + 32;
    }
    for (int half = 0; half < 256; half += 128) {
      for (int i = 0; i < 64; i++) {
        out.put((byte) ((q[half + i] & 15) | ((q[half + 64 + i] & 15) << 4)));
      }
    }
    for (int half = 0; half < 256; half += 128) {
      for (int i = 0; i < 32; i++) {
        int high = 0;
        for (int quarter = 0; quarter < 4; quarter++) {
          high |= (q[half + 32 * quarter + i] >> 4) << (2 * quarter);
        }
        out.put((byte) high);
      }
    }
    for (int i = 0; i < 16; i++) {
      out.put((byte) 64);
    }
    out.putShort(Float.floatToFloat16(stored));
  }

  /** All eight scales and minima 63. */
  private static void scales(ByteBuffer out) {
    for (int i = 0; i < 12; i++) {
      out.put((byte) 0xff);
    }
  }

  /** Writes {@code value} as half precision; what it reads back as. */
  private static float half(float value, ByteBuffer out) {
    short half = Float.floatToFloat16(value);
    out.putShort(half);
    return Float.float16ToFloat(half);
  }

  private static int step(float value, float offset, float scale, int least, int most) {
    return scale == 0
        ? Math.clamp(0, least, most)
        : Math.clamp(Math.round((value - offset) / scale), least, most);
  }

  private static float largest(float[] values, int at, int count) {
    return Math.max(-least(values, at, count), most(values, at, count));
  }

  private static float least(float[] values, int at, int count) {
    float least = values[at];
    for (int i = 1; i < count; i++) {
      least = Math.min(least, values[at + i]);
    }
    return least;
  }

  private static float most(float[] values, int at, int count) {
    float most = values[at];
    for (int i = 1; i < count; i++) {
      most = Math.max(most, values[at + i]);
    }
    return most;
  }
}
