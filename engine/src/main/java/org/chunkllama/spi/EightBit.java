package org.chunkllama.spi;

/**
 * Numbers of F8 and I8 keys and values. A head of a token has one scale, its largest magnitude
 * divided by the largest number of the type (448 or 127), so nothing overflows; values are kept as
 * the nearest multiple of it, ties to even. Heads whose numbers are all below 2^-100 are zero; a
 * head that holds an infinity or a NaN is NaN altogether.
 *
 * <p>Every backend rounds so, bit for bit.
 */
public final class EightBit {
  /** Bytes of a scale: fp32. */
  public static final int SCALE_BYTES = 4;

  private static final float LEAST = 0x1p-100f;
  private static final int F8_NORMAL = 0x3c800000; // bits of 2^-6, the smallest normal e4m3
  private static final int F8_BIAS = 120; // fp32's less e4m3's
  private static final int F8_LARGEST = 0x7e;

  private EightBit() {}

  /** The largest magnitude of a type. */
  public static float largest(DType type) {
    return type == DType.F8 ? 448 : 127;
  }

  /** The scale of a head, {@code values[offset, offset + count)}; NaN if a value is not finite. */
  public static float scale(DType type, float[] values, int offset, int count) {
    float largest = 0;
    for (int i = offset; i < offset + count; i++) {
      if (!Float.isFinite(values[i])) {
        return Float.NaN;
      }
      largest = Math.max(largest, Math.abs(values[i]));
    }
    return largest < LEAST ? 0 : largest / largest(type);
  }

  /** A value of a head of that scale: bits of e4m3, or a whole number. */
  public static byte narrow(DType type, float value, float scale) {
    float x = scale > 0 ? value / scale : 0;
    if (type == DType.I8) {
      return (byte) Math.clamp((long) Math.rint(x), -127, 127);
    }
    int bits = Float.floatToRawIntBits(x);
    int sign = bits >>> 24 & 0x80;
    bits &= 0x7fffffff;
    int code =
        bits < F8_NORMAL
            ? (int) Math.rint(Float.intBitsToFloat(bits) * 0x1p9f)
            : ((bits + 0x7ffff + (bits >>> 20 & 1)) >>> 20) - (F8_BIAS << 3);
    return (byte) (sign | Math.min(code, F8_LARGEST));
  }

  /** The number that a byte stands for, times the scale. */
  public static float widen(DType type, byte code, float scale) {
    if (type == DType.I8) {
      return code * scale;
    }
    int magnitude = code & 0x7f;
    float value =
        magnitude < 8
            ? magnitude * 0x1p-9f
            : Float.intBitsToFloat((magnitude << 20) + (F8_BIAS << 23));
    return (code < 0 ? -value : value) * scale;
  }
}
