package org.chunkllama.model;

/** How rotary frequencies are stretched for contexts longer than the trained one. */
public sealed interface RopeScaling {
  /** As trained. */
  record None() implements RopeScaling {}

  /** All frequencies divided by {@code factor} (position interpolation). */
  record Linear(double factor) implements RopeScaling {}

  /**
   * Llama 3.1: low frequencies divided by {@code factor}, high ones kept, a smooth ramp between.
   */
  record Llama3(double factor, double lowFreqFactor, double highFreqFactor, int originalContext)
      implements RopeScaling {}

  /**
   * YaRN (arXiv 2309.00071): interpolation by frequency band, with attention scaled by {@code
   * attentionFactor}.
   */
  record Yarn(
      double factor, int originalContext, double betaFast, double betaSlow, double attentionFactor)
      implements RopeScaling {}

  /**
   * Each frequency divided by its own factor, as GGUF stores Llama 3 scaling ({@code
   * rope_freqs.weight}).
   */
  record PerFrequency(float[] factors) implements RopeScaling {}
}
