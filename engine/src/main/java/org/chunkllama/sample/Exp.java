package org.chunkllama.sample;

/** exp for floats, within 2e-7 relative, several times faster than {@link Math#exp}. */
final class Exp {
  private static final float LOG2_E = 1.442695f;
  // ln 2 in two parts, so that n * LN2_HIGH is exact for the n that occur
  private static final float LN2_HIGH = 0.6933594f;
  private static final float LN2_LOW = -2.12194440e-4f;

  /** Adding and subtracting this rounds to an integer. */
  private static final float ROUND = 12582912f;

  private Exp() {}

  /**
   * e^x.
   *
   * @param x at most 88; below -87 the result is 0
   */
  static float exp(float x) {
    if (!(x > -87f)) {
      return Float.isNaN(x) ? x : 0f;
    }
    float n = (x * LOG2_E + ROUND) - ROUND;
    float r = x - n * LN2_HIGH - n * LN2_LOW;
    float p = 0.00019875691f;
    p = p * r + 0.0013981999f;
    p = p * r + 0.008333452f;
    p = p * r + 0.041665796f;
    p = p * r + 0.16666666f;
    p = p * r + 0.5f;
    p = p * r * r + r + 1f;
    return p * Float.intBitsToFloat(((int) n + 127) << 23);
  }
}
