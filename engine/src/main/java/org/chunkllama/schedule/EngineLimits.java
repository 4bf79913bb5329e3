package org.chunkllama.schedule;

/**
 * Bounds of an engine.
 *
 * @param context longest sequence, prompt and output, in tokens
 * @param stepTokens rows that a step aims at: decoding sequences first, the rest for slices of
 *     prompts
 * @param maxSequences most sequences at once
 * @param sharing prompts share chunks; false: nothing is shared, identical prompts neither
 */
public record EngineLimits(int context, int stepTokens, int maxSequences, boolean sharing) {
  /** Prompt rows that a step has even if sequences fill it. */
  int leastPromptRows() {
    return Math.max(1, stepTokens / 4);
  }

  /** Most rows of a step. */
  public int rows() {
    return Math.max(stepTokens, maxSequences + leastPromptRows());
  }
}
