package org.chunkllama.bench.server;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * What we want to reach, and what was measured.
 *
 * @param value a ratio unless the name says otherwise
 * @param closesAt what is good enough
 * @param aim what is wanted
 * @param atMost the lower the better
 */
public record ServerGoal(String name, double value, double closesAt, double aim, boolean atMost) {
  /** How it came out: aim, closes or short. */
  public String verdict() {
    if (Double.isNaN(value)) {
      return "not measured";
    }
    return reaches(aim) ? "aim" : reaches(closesAt) ? "closes" : "short";
  }

  private boolean reaches(double limit) {
    return atMost ? value <= limit : value >= limit;
  }

  private static ServerGoal atLeast(String name, double value, double closesAt, double aim) {
    return new ServerGoal(name, value, closesAt, aim, false);
  }

  /** Of a load with a common prefix at rising rates. */
  public static List<ServerGoal> ofRamp(String load, List<LoadResult> results) {
    double ours = highestRate(results, Target.CHUNKLLAMA);
    List<ServerGoal> goals = new ArrayList<>();
    goals.add(
        atLeast(
            load + ": highest rate under 100 ms TPOT, against vLLM",
            ours / highestRate(results, Target.VLLM),
            2,
            3.5));
    goals.add(
        atLeast(
            load + ": TTFT without sharing / with",
            firstCommon(results, Target.UNSHARED, LoadResult::ttftMillis)
                / firstCommon(results, Target.CHUNKLLAMA, LoadResult::ttftMillis),
            5,
            5));
    double with = lastCommon(results, Target.CHUNKLLAMA, LoadResult::kvBytesPeak);
    double without = lastCommon(results, Target.UNSHARED, LoadResult::kvBytesPeak);
    goals.add(atLeast(load + ": part of peak KV memory saved", 1 - with / without, 0.7, 0.7));
    return goals;
  }

  /** Of a load that shares nothing. */
  public static List<ServerGoal> ofNothingShared(List<LoadResult> results) {
    double ours = throughput(results, Target.CHUNKLLAMA);
    return List.of(
        atLeast(
            "nothing shared: tokens/s against vLLM",
            ours / throughput(results, Target.VLLM),
            0.9,
            0.9),
        atLeast(
            "nothing shared: tokens/s against --no-prefix-sharing",
            ours / throughput(results, Target.UNSHARED),
            0.97,
            0.97));
  }

  /** Of a step's overhead. */
  public static ServerGoal of(StepTimes times) {
    return new ServerGoal(
        "32 streams: part of the time that is scheduling and HTTP",
        times.overhead(),
        0.05,
        0.05,
        true);
  }

  /** Of memory. */
  public static ServerGoal of(IdleStreams idle) {
    return new ServerGoal("1,000 waiting streams: MB", idle.bytes() / 1e6, 200, 200, true);
  }

  /** Highest rate at which readers need not wait; NaN if there is none. */
  private static double highestRate(List<LoadResult> results, Target target) {
    return results.stream()
        .filter(r -> r.target() == target && r.tpotMillis() < ServerBench.TPOT_MILLIS)
        .mapToDouble(LoadResult::rate)
        .max()
        .orElse(Double.NaN);
  }

  /** A figure at the lowest rate at which all were measured. */
  private static double firstCommon(
      List<LoadResult> results, Target target, ToDoubleFunction<LoadResult> figure) {
    return results.stream()
        .filter(r -> r.target() == target)
        .mapToDouble(figure)
        .findFirst()
        .orElse(Double.NaN);
  }

  /** A figure at the highest rate at which ours was measured with and without sharing. */
  private static double lastCommon(
      List<LoadResult> results, Target target, ToDoubleFunction<LoadResult> figure) {
    double rate =
        results.stream()
            .filter(r -> r.target() == Target.UNSHARED)
            .mapToDouble(LoadResult::rate)
            .max()
            .orElse(Double.NaN);
    return results.stream()
        .filter(r -> r.target() == target && r.rate() == rate)
        .mapToDouble(figure)
        .findFirst()
        .orElse(Double.NaN);
  }

  private static double throughput(List<LoadResult> results, Target target) {
    double[] sorted =
        results.stream()
            .filter(r -> r.target() == target)
            .mapToDouble(LoadResult::tokensPerSecond)
            .sorted()
            .toArray();
    return sorted.length == 0
        ? Double.NaN
        : Arrays.stream(sorted).skip((sorted.length - 1) / 2).findFirst().orElseThrow();
  }
}
