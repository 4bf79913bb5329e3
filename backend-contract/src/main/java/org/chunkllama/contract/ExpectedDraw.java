package org.chunkllama.contract;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.chunkllama.sample.SamplingOptions;

/**
 * What a draw from a row may give, in double precision and by sorting: the tokens that stay, by
 * rising id, and each one's interval of the uniform number.
 */
final class ExpectedDraw {
  /** How far a token's interval may be off: sums of weights that are floats. */
  private static final double SLACK = 2e-6;

  private final int[] ids;
  private final double[] ends; // of each token's interval; the last is 1

  /** After biases, bans and penalties. */
  ExpectedDraw(float[] logits, SamplingOptions options) {
    int[] ranked =
        IntStream.range(0, logits.length)
            .boxed()
            .sorted(
                Comparator.comparingDouble((Integer id) -> -(logits[id] + 0.0))
                    .thenComparingInt(id -> id))
            .mapToInt(Integer::intValue)
            .toArray();
    double max = logits[ranked[0]];
    if (options.isGreedy()) {
      ids = new int[] {ranked[0]};
      ends = new double[] {1};
      return;
    }
    double t = options.temperature();
    int kept =
        (int)
            Arrays.stream(ranked)
                .filter(id -> logits[id] > Double.NEGATIVE_INFINITY)
                .filter(
                    id -> options.minP() == 0 || logits[id] >= max + t * Math.log(options.minP()))
                .count();
    kept = options.topK() == 0 ? kept : Math.min(kept, options.topK());
    double total = 0;
    for (int i = 0; i < kept; i++) {
      total += Math.exp((logits[ranked[i]] - max) / t);
    }
    if (options.topP() < 1) {
      double sum = 0;
      int n = 0;
      while (n < kept && sum < options.topP() * total * (1 - 1e-12)) {
        sum += Math.exp((logits[ranked[n++]] - max) / t);
      }
      kept = Math.max(1, n);
      total = sum;
    }
    ids = Arrays.copyOf(ranked, kept);
    Arrays.sort(ids);
    ends = new double[kept];
    double sum = 0;
    for (int i = 0; i < kept; i++) {
      sum += Math.exp((logits[ids[i]] - max) / t);
      ends[i] = sum / total;
    }
  }

  /** Tokens that stay. */
  int size() {
    return ids.length;
  }

  /** Probability of the i-th token that stays. */
  double probability(int i) {
    return ends[i] - (i == 0 ? 0 : ends[i - 1]);
  }

  /** Which of the tokens that stay {@code token} is. */
  int indexOf(int token) {
    int i = Arrays.binarySearch(ids, token);
    assertThat(i).as("token %d among the %d that may be drawn", token, ids.length).isNotNegative();
    return i;
  }

  /** {@code token} is what a uniform number in [low, high) gives. */
  void check(int token, double low, double high) {
    int i = indexOf(token);
    double begin = i == 0 ? 0 : ends[i - 1];
    assertThat(begin).as("begin of token %d", token).isLessThan(high + SLACK);
    assertThat(ends[i]).as("end of token %d", token).isGreaterThan(low - SLACK);
  }
}
