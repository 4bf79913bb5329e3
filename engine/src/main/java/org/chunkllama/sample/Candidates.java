package org.chunkllama.sample;

import java.util.Arrays;

/**
 * The tokens that are still in the draw, cut down by selection, never by sorting the vocabulary.
 *
 * <p>A token is a {@code long} whose order is by falling logit, then rising id: the upper half is
 * the logit's bits made monotone and flipped, the lower half the id. Ties are thereby broken the
 * same way everywhere.
 */
final class Candidates {
  private long[] keys;
  private int[] ids;
  private int count;

  Candidates(int vocabulary) {
    keys = new long[vocabulary];
    ids = new int[vocabulary];
  }

  int count() {
    return count;
  }

  /** The tokens that remain, ascending; {@link #count} of them. */
  int[] sortedIds() {
    for (int i = 0; i < count; i++) {
      ids[i] = (int) keys[i];
    }
    Arrays.sort(ids, 0, count);
    return ids;
  }

  /** Begins with all tokens whose logit is at least {@code least}. O(vocabulary). */
  void collect(float[] logits, float least) {
    if (keys.length < logits.length) {
      keys = new long[logits.length];
      ids = new int[logits.length];
    }
    int n = 0;
    for (int id = 0; id < logits.length; id++) {
      if (logits[id] >= least) {
        keys[n++] = key(logits[id], id);
      }
    }
    count = n;
  }

  private static long key(float logit, int id) {
    int bits = Float.floatToRawIntBits(logit + 0f); // -0 becomes 0: they tie
    int ascending = bits ^ ((bits >> 31) & 0x7fffffff);
    return ((long) ~ascending << 32) | id;
  }

  /** Keeps the {@code k} likeliest. O(count) expected. */
  void keepTop(int k) {
    if (k >= count) {
      return;
    }
    int low = 0;
    int high = count;
    while (low < k && k < high) {
      int split = partition(low, high);
      if (k <= split) {
        high = split;
      } else {
        low = split;
      }
    }
    count = k;
  }

  /**
   * Keeps the smallest set of likeliest tokens whose weights sum to at least {@code share} of all
   * candidates' weight. O(count) expected.
   *
   * @param weights by id
   */
  void keepMass(float[] weights, double share) {
    double total = mass(weights, 0, count);
    // Tokens below this cannot be needed: together they have less than 1 - share.
    double negligible = (1 - share) * total / count;
    int n = 0;
    for (int i = 0; i < count; i++) {
      if (weights[(int) keys[i]] >= negligible) {
        keys[n++] = keys[i];
      }
    }
    double wanted = share * total;
    int low = 0;
    int high = n;
    while (high - low > 1) {
      int split = partition(low, high);
      double mass = mass(weights, low, split);
      if (mass >= wanted) {
        high = split;
      } else {
        wanted -= mass;
        low = split;
      }
    }
    count = Math.max(high, 1);
  }

  private double mass(float[] weights, int from, int to) {
    double sum = 0;
    for (int i = from; i < to; i++) {
      sum += weights[(int) keys[i]];
    }
    return sum;
  }

  /**
   * Reorders [low, high), two or more distinct keys, so that all before the returned index come
   * before all from it on; both sides are non-empty.
   */
  private int partition(int low, int high) {
    long pivot = median(keys[low], keys[(low + high) >>> 1], keys[high - 1]);
    int i = low - 1;
    int j = high;
    while (true) {
      do {
        i++;
      } while (keys[i] < pivot);
      do {
        j--;
      } while (keys[j] > pivot);
      if (i >= j) {
        // Hoare: [low, j] <= pivot <= [j + 1, high)
        return j + 1 == high ? j : j + 1;
      }
      long swapped = keys[i];
      keys[i] = keys[j];
      keys[j] = swapped;
    }
  }

  private static long median(long a, long b, long c) {
    return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
  }
}
