package org.chunkllama.spi;

/**
 * Rotary embedding, scaling included: cosines and sines by position.
 *
 * @param cos {@code [positions][rotatedDim / 2]}
 * @param sin {@code [positions][rotatedDim / 2]}
 * @param positions rows of the tables
 * @param rotatedDim values of a head that are rotated (the first ones); at most the head dim, even
 * @param layout which values form a pair
 */
public record RotaryTable(float[] cos, float[] sin, int positions, int rotatedDim, Layout layout) {
  /** Which two values of a head are rotated together. */
  public enum Layout {
    /** (0, r/2), (1, r/2 + 1), ...: Hugging Face weights. */
    SPLIT_HALVES,
    /** (0, 1), (2, 3), ...: Llama weights in GGUF. */
    INTERLEAVED_PAIRS
  }
}
