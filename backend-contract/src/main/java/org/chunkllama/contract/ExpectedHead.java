package org.chunkllama.contract;

import java.util.List;

/** What one query head must get from all tokens of its sequence, in double precision. */
final class ExpectedHead {
  private ExpectedHead() {}

  /**
   * Adds the head's output to {@code out}, which is zero there.
   *
   * @param k a row of all KV heads per token; {@code v} likewise
   * @param kv where the query head's KV head begins in a row
   * @param q holds the query from {@code at} on, as {@code out} gets the output
   */
  static void add(
      List<float[]> k, List<float[]> v, int kv, int headDim, float[] q, int at, double[] out) {
    double sum = 0;
    for (int t = 0; t < k.size(); t++) {
      double score = 0;
      for (int i = 0; i < headDim; i++) {
        score += (double) q[at + i] * k.get(t)[kv + i];
      }
      double weight = Math.exp(score / Math.sqrt(headDim)); // scores of variance 1: no overflow
      sum += weight;
      for (int i = 0; i < headDim; i++) {
        out[at + i] += weight * v.get(t)[kv + i];
      }
    }
    for (int i = 0; i < headDim; i++) {
      out[at + i] /= sum;
    }
  }
}
