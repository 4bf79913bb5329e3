package org.chunkllama.model;

import org.chunkllama.spi.RotaryTable;

/**
 * Cosines and sines of the rotary embedding, scaling included.
 *
 * <p>Frequencies and angles are rounded to fp32 as transformers does: models were trained with
 * those, and at position 1,500 the rounding of a frequency already shows in the fourth digit.
 */
public final class RotaryTables {
  private RotaryTables() {}

  /**
   * Tables for positions 0 .. {@code positions} - 1.
   *
   * @param config gives base, rotated values, scaling and layout
   * @param positions rows, 1 or more
   */
  public static RotaryTable build(ModelConfig config, int positions) {
    float[] frequencies = frequencies(config.ropeTheta(), config.ropeDim(), config.ropeScaling());
    float scale =
        config.ropeScaling() instanceof RopeScaling.Yarn yarn ? (float) yarn.attentionFactor() : 1f;
    int half = frequencies.length;
    float[] cos = new float[Math.multiplyExact(positions, half)]; // [positions][ropeDim / 2]
    float[] sin = new float[cos.length];
    for (int position = 0; position < positions; position++) {
      for (int i = 0; i < half; i++) {
        float angle = position * frequencies[i];
        cos[position * half + i] = (float) Math.cos(angle) * scale;
        sin[position * half + i] = (float) Math.sin(angle) * scale;
      }
    }
    return new RotaryTable(cos, sin, positions, config.ropeDim(), config.ropeLayout());
  }

  /** {@code [ropeDim / 2]} radians per position. */
  static float[] frequencies(double theta, int ropeDim, RopeScaling scaling) {
    float[] plain = new float[ropeDim / 2];
    for (int i = 0; i < plain.length; i++) {
      plain[i] = 1f / (float) Math.pow(theta, 2f * i / ropeDim);
    }
    return switch (scaling) {
      case RopeScaling.None _ -> plain;
      case RopeScaling.Linear linear -> divided(plain, linear.factor());
      case RopeScaling.Llama3 llama3 -> llama3(plain, llama3);
      case RopeScaling.Yarn yarn -> yarn(plain, theta, yarn);
      case RopeScaling.PerFrequency each -> dividedEach(plain, each.factors());
    };
  }

  private static float[] divided(float[] frequencies, double factor) {
    for (int i = 0; i < frequencies.length; i++) {
      frequencies[i] /= (float) factor;
    }
    return frequencies;
  }

  private static float[] dividedEach(float[] frequencies, float[] factors) {
    if (factors.length != frequencies.length) {
      throw new IllegalArgumentException(
          factors.length + " rope factors for " + frequencies.length + " frequencies");
    }
    for (int i = 0; i < frequencies.length; i++) {
      frequencies[i] /= factors[i];
    }
    return frequencies;
  }

  /** Bands by wavelength: short ones kept, long ones divided, between them a ramp. */
  private static float[] llama3(float[] frequencies, RopeScaling.Llama3 scaling) {
    double longest = scaling.originalContext() / scaling.lowFreqFactor();
    double shortest = scaling.originalContext() / scaling.highFreqFactor();
    double span = scaling.highFreqFactor() - scaling.lowFreqFactor();
    for (int i = 0; i < frequencies.length; i++) {
      float kept = frequencies[i];
      float divided = (float) (kept / scaling.factor());
      double wavelength = 2 * Math.PI / kept;
      if (wavelength > longest) {
        frequencies[i] = divided;
      } else if (wavelength >= shortest) {
        double smooth = (scaling.originalContext() / wavelength - scaling.lowFreqFactor()) / span;
        frequencies[i] = (float) ((1 - smooth) * divided + smooth * kept);
      }
    }
    return frequencies;
  }

  /** Bands by index: those that turn often enough in the trained context are kept. */
  private static float[] yarn(float[] frequencies, double theta, RopeScaling.Yarn scaling) {
    int dim = 2 * frequencies.length;
    double low = Math.floor(turningIndex(scaling.betaFast(), dim, theta, scaling));
    double high = Math.ceil(turningIndex(scaling.betaSlow(), dim, theta, scaling));
    low = Math.max(low, 0);
    high = Math.min(high, dim - 1);
    if (low == high) {
      high += 0.001; // the ramp must not divide by zero
    }
    for (int i = 0; i < frequencies.length; i++) {
      double ramp = Math.clamp((i - low) / (high - low), 0.0, 1.0);
      double divided = frequencies[i] / scaling.factor();
      frequencies[i] = (float) (divided * ramp + frequencies[i] * (1 - ramp));
    }
    return frequencies;
  }

  /** Index of the frequency that makes {@code turns} turns within the original context. */
  private static double turningIndex(
      double turns, int dim, double theta, RopeScaling.Yarn scaling) {
    return dim
        * Math.log(scaling.originalContext() / (turns * 2 * Math.PI))
        / (2 * Math.log(theta));
  }
}
