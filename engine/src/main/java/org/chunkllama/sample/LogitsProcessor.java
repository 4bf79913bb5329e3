package org.chunkllama.sample;

/**
 * Changes the logits of one completion before a token is drawn from them. Called on the engine
 * thread, once per token: be quick. What it throws fails its request and no other.
 */
@FunctionalInterface
public interface LogitsProcessor {
  /**
   * Changes logits in place.
   *
   * @param index which completion of the request
   * @param output tokens generated so far; the first {@code count} count; read only
   * @param logits {@code [vocabulary]}
   */
  void process(int index, int[] output, int count, float[] logits);
}
