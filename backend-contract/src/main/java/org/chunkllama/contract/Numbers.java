package org.chunkllama.contract;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.EightBit;

/** Random values, rounding, and comparison with an expected result in double precision. */
final class Numbers {
  private Numbers() {}

  /** Values of mean 0 and variance 1. */
  static float[] gaussian(SplittableRandom random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  static float[] filled(int count, float value) {
    float[] values = new float[count];
    Arrays.fill(values, value);
    return values;
  }

  /** The value as a cache of that type stores it: the nearest one, ties to even. */
  static float rounded(float x, DType type) {
    return switch (type) {
      case F32 -> x;
      case F16 -> Float.float16ToFloat(Float.floatToFloat16(x));
      case BF16 -> toBf16(x);
      default -> throw new IllegalArgumentException(type.toString());
    };
  }

  private static float toBf16(float x) {
    if (!Float.isFinite(x)) {
      return x;
    }
    int below = Float.floatToRawIntBits(x) & 0xffff0000;
    float low = Float.intBitsToFloat(below);
    float high = Float.intBitsToFloat(below + 0x10000);
    double toLow = Math.abs((double) x - low);
    double toHigh = Math.abs((double) high - x);
    boolean lowIsEven = (below & 0x10000) == 0;
    return toLow < toHigh || (toLow == toHigh && lowIsEven) ? low : high;
  }

  /** Heads of {@code headDim} values as a cache of that type stores them. */
  static float[] rounded(float[] values, DType type, int headDim) {
    float[] rounded = new float[values.length];
    if (type.isEightBit()) {
      for (int head = 0; head < values.length; head += headDim) {
        roundHead(values, head, headDim, type, rounded);
      }
      return rounded;
    }
    for (int i = 0; i < values.length; i++) {
      rounded[i] = rounded(values[i], type);
    }
    return rounded;
  }

  private static void roundHead(float[] values, int head, int count, DType type, float[] rounded) {
    float largest = 0;
    for (int i = head; i < head + count; i++) {
      largest = Math.max(largest, Math.abs(values[i])); // NaN if one is
    }
    float scale = largest < 0x1p-100f ? 0 : largest / EightBit.largest(type);
    for (int i = head; i < head + count; i++) {
      double x = scale == 0 ? 0 : values[i] / scale;
      double step = 1;
      if (type == DType.F8) { // 3 bits behind the first one, 2^-9 at least
        step = Math.max(0x1p-9, Math.scalb(1.0, Math.getExponent(x) - 3));
      }
      rounded[i] = (float) (Math.rint(x / step) * step) * scale;
    }
  }

  /** Every value within {@code tolerance} of what is expected; NaN is within no tolerance. */
  static void assertClose(String what, float[] actual, double[] expected, double tolerance) {
    assertThat(actual).as(what).hasSameSizeAs(expected);
    for (int i = 0; i < actual.length; i++) {
      if (!(Math.abs(actual[i] - expected[i]) <= tolerance)) {
        throw new AssertionError(
            "%s: value %d is %s, expected %s within %s"
                .formatted(what, i, actual[i], expected[i], tolerance));
      }
    }
  }

  /** Root of the mean squared error, relative to the expected values' own; NaN if any is NaN. */
  static double relativeError(float[] actual, double[] expected) {
    double error = 0;
    double power = 0;
    for (int i = 0; i < actual.length; i++) {
      error += (actual[i] - expected[i]) * (actual[i] - expected[i]);
      power += expected[i] * expected[i];
    }
    return power == 0 ? Math.sqrt(error) : Math.sqrt(error / power);
  }
}
