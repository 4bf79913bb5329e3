package org.chunkllama.contract;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.chunkllama.spi.DType;

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

  static float[] rounded(float[] values, DType type) {
    float[] rounded = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      rounded[i] = rounded(values[i], type);
    }
    return rounded;
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
