package org.chunkllama.tune;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;
import org.chunkllama.files.Progress;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.GraphTimer;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.TunableAttention;
import org.chunkllama.spi.TunableAttention.Setting;

/**
 * Measures settings of a device's attention for one shape and sets what is fastest over a handful
 * of decode steps: a coordinate search, then the old and the new settings once more in turns. The
 * new ones stay only if they win there and no step of the handful loses.
 */
public final class AttentionTuner {
  private static final double STEP_GAIN = 0.004; // of one step of the search
  private static final double LEAST_GAIN = 0.01; // in the end
  private static final double WORST = 1.03; // what a single workload may lose
  private static final int TURNS = 7; // of the last comparison, at most
  private static final int TURNS_LEAST = 3;

  /** What is measured. */
  interface Workloads {
    List<String> names();

    /** One launch with the settings of now. */
    double micros(int workload);
  }

  /**
   * A workload before and after.
   *
   * @param name for people
   * @param before microseconds with the settings of before
   * @param after microseconds with the new ones
   */
  public record Time(String name, double before, double after) {}

  /**
   * What came out.
   *
   * @param settings as they are now
   * @param before their values before
   * @param times in turns, at the end
   * @param points sets of values that were measured
   * @param complete false if time was over before no step gained any more
   */
  public record Result(
      List<Setting> settings, List<Double> before, List<Time> times, int points, boolean complete) {
    /** Geometric mean of after / before. */
    public double ratio() {
      return Math.exp(
          times.stream().mapToDouble(t -> Math.log(t.after / t.before)).average().orElse(0));
    }

    /** True if other values are in use now. */
    public boolean isChanged() {
      return !settings.stream().map(Setting::value).toList().equals(before);
    }
  }

  private final TunableAttention tunable;
  private final KvLayout layout;
  private final int queryHeads;
  private final Workloads workloads;
  private final LongSupplier nanoClock;

  AttentionTuner(
      TunableAttention tunable,
      KvLayout layout,
      int queryHeads,
      Workloads workloads,
      LongSupplier nanoClock) {
    this.tunable = tunable;
    this.layout = layout;
    this.queryHeads = queryHeads;
    this.workloads = workloads;
    this.nanoClock = nanoClock;
  }

  /**
   * Tunes on a device.
   *
   * @param backend the device, opened
   * @param timer its clock
   * @param tunable its settings
   * @param layout of caches, but for their layers
   * @param queryHeads query heads
   * @param limit for all measuring, once kernels are compiled and caches filled; a slow device
   *     takes longer for the last comparison
   */
  public static Result tune(
      Backend backend,
      GraphTimer timer,
      TunableAttention tunable,
      KvLayout layout,
      int queryHeads,
      Duration limit,
      Progress progress) {
    try (TuningWorkloads workloads = new TuningWorkloads(backend, timer, layout, queryHeads)) {
      return new AttentionTuner(tunable, layout, queryHeads, workloads, System::nanoTime)
          .tune(limit, progress);
    }
  }

  Result tune(Duration limit, Progress progress) {
    List<Double> start = values(settings());
    boolean done = false;
    progress.begin("tuning attention", limit.toSeconds(), Progress.Unit.SECONDS);
    try {
      Result result = tune(start, limit, progress);
      done = true;
      return result;
    } finally {
      progress.end();
      if (!done) {
        set(start);
      }
    }
  }

  private Result tune(List<Double> start, Duration limit, Progress progress) {
    long begin = nanoClock.getAsLong();
    measure(start); // warms up
    long warm = nanoClock.getAsLong();
    double[] before = measure(start);
    long once = Math.max(1, nanoClock.getAsLong() - warm);
    long comparison = Math.min(2 * TURNS * once, limit.toNanos() / 3);
    CoordinateSearch search =
        new CoordinateSearch(
            settings().stream().map(Setting::values).toList(),
            STEP_GAIN,
            () -> {
              long passed = nanoClock.getAsLong() - begin;
              progress.advance(Math.min(limit.toSeconds(), passed / 1_000_000_000));
              return passed + once + comparison > limit.toNanos();
            });
    CoordinateSearch.Found found = search.search(start, values -> cost(before, measure(values)));
    if (found.values().equals(start)) {
      set(start);
      return result(start, before, before, found);
    }
    long left = limit.toNanos() - (nanoClock.getAsLong() - begin);
    return compare(start, found, Math.clamp(left / (2 * once), TURNS_LEAST, TURNS));
  }

  private Result compare(List<Double> start, CoordinateSearch.Found found, int turns) {
    int count = workloads.names().size();
    double[][] before = new double[count][turns];
    double[][] after = new double[count][turns];
    for (int turn = 0; turn < turns; turn++) {
      put(before, turn, measure(start));
      put(after, turn, measure(found.values()));
    }
    double[] old = medians(before);
    double[] fresh = medians(after);
    boolean wins = cost(old, fresh) <= 1 - LEAST_GAIN;
    set(wins ? found.values() : start);
    return result(start, old, wins ? fresh : old, found);
  }

  private Result result(
      List<Double> start, double[] before, double[] after, CoordinateSearch.Found found) {
    List<String> names = workloads.names();
    List<Time> times =
        IntStream.range(0, names.size())
            .mapToObj(i -> new Time(names.get(i), before[i], after[i]))
            .toList();
    return new Result(settings(), start, times, found.points(), found.complete());
  }

  private static void put(double[][] times, int turn, double[] measured) {
    for (int i = 0; i < measured.length; i++) {
      times[i][turn] = measured[i];
    }
  }

  private static double[] medians(double[][] times) {
    return Arrays.stream(times)
        .mapToDouble(row -> {
          double[] sorted = row.clone();
          Arrays.sort(sorted);
          return sorted[sorted.length / 2];
        })
        .toArray();
  }

  /** Geometric mean of the ratios; infinite if one workload loses too much. */
  private static double cost(double[] before, double[] after) {
    double logs = 0;
    for (int i = 0; i < before.length; i++) {
      double ratio = after[i] / before[i];
      if (!(ratio <= WORST)) {
        return Double.POSITIVE_INFINITY;
      }
      logs += Math.log(ratio);
    }
    return Math.exp(logs / before.length);
  }

  private double[] measure(List<Double> values) {
    set(values);
    double[] micros = new double[workloads.names().size()];
    for (int i = 0; i < micros.length; i++) {
      micros[i] = workloads.micros(i);
    }
    return micros;
  }

  private void set(List<Double> values) {
    tunable.set(layout, queryHeads, values);
  }

  private List<Setting> settings() {
    return tunable.settings(layout, queryHeads);
  }

  private static List<Double> values(List<Setting> settings) {
    return settings.stream().map(Setting::value).toList();
  }
}
