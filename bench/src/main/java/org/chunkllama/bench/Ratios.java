package org.chunkllama.bench;

import java.util.Arrays;

/** Two variants timed in turns, so that what else the machine does hits both. */
final class Ratios {
  private static final long WARM_UP_NANOS = 6_000_000_000L;

  /** So long that what the other variant left in the caches makes no difference. */
  private static final double LEAST_NANOS = 3e7;

  private static final double WINDOW_NANOS = 5e7;
  private static final double SLOWER = 0.95;
  private static final int STEADY_WINDOWS = 6;

  /**
   * Medians of a comparison.
   *
   * @param firstNanos of one call of the first variant
   * @param secondNanos of one call of the second
   * @param ratio second / first, the median of the rounds' ratios
   */
  record Result(double firstNanos, double secondNanos, double ratio) {}

  private Ratios() {}

  /** Runs both in turns for a while, so that the compiler is done with what all shapes share. */
  static void warmUp(Runnable first, Runnable second) {
    long begin = System.nanoTime();
    while (System.nanoTime() - begin < WARM_UP_NANOS) {
      first.run();
      second.run();
    }
  }

  /** Times both in turns, {@code rounds} times after a warm-up. */
  static Result compare(Runnable first, Runnable second, int rounds) {
    int firstCalls = calls(first);
    int secondCalls = calls(second);
    double[] firstTimes = new double[rounds];
    double[] secondTimes = new double[rounds];
    double[] ratios = new double[rounds];
    for (int i = 0; i < rounds; i++) {
      firstTimes[i] = time(first, firstCalls);
      secondTimes[i] = time(second, secondCalls);
      ratios[i] = secondTimes[i] / firstTimes[i];
    }
    return new Result(median(firstTimes), median(secondTimes), median(ratios));
  }

  /** Calls that take long enough to time, found once the variant gets no faster. */
  private static int calls(Runnable variant) {
    double best = Double.POSITIVE_INFINITY;
    int calls = 1;
    for (int steady = 0; steady < STEADY_WINDOWS; ) {
      double nanos = time(variant, calls);
      steady = nanos < SLOWER * best ? 0 : steady + 1;
      best = Math.min(best, nanos);
      // Windows of the same length, however fast compiled code becomes.
      calls = (int) Math.max(1, WINDOW_NANOS / best);
    }
    return (int) Math.max(1, Math.ceil(LEAST_NANOS / best));
  }

  private static double time(Runnable variant, int calls) {
    long begin = System.nanoTime();
    for (int i = 0; i < calls; i++) {
      variant.run();
    }
    return (double) (System.nanoTime() - begin) / calls;
  }

  static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
