package org.chunkllama.files;

/** YaRN's temperature (arXiv 2309.00071, equation 22). */
final class Yarn {
  private Yarn() {}

  /** What cosines and sines are scaled by when the file does not say. */
  static double attentionFactor(double factor) {
    return mscale(factor, 1);
  }

  static double mscale(double factor, double weight) {
    return factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1;
  }
}
