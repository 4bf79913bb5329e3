package org.chunkllama.bench;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.chunkllama.bench.PeersBench.Engine;

/**
 * What we want to reach of the peers' speed, one figure each.
 *
 * @param name for people
 * @param figure of {@link OfflineResult#FIGURES}
 * @param against the fastest of these
 * @param closesAt ratio that is good enough
 * @param aim ratio that is wanted
 */
public record PeerGoal(
    String name, String figure, List<Engine> against, double closesAt, double aim) {
  private static final List<Engine> EITHER = List.of(Engine.VLLM, Engine.LLAMA_CPP);

  /** All five, in the order of the figures. */
  public static List<PeerGoal> all() {
    List<String> names = OfflineResult.FIGURES;
    return Arrays.asList(
        new PeerGoal("prompt", names.get(0), List.of(Engine.VLLM), 0.7, 1.2),
        new PeerGoal("single decode", names.get(1), List.of(Engine.LLAMA_CPP), 0.9, 1.1),
        new PeerGoal("batch short", names.get(2), List.of(Engine.VLLM), 0.9, 1.3),
        new PeerGoal("shared cold", names.get(3), EITHER, 1.8, 3),
        new PeerGoal("shared warm", names.get(4), EITHER, 2.2, 4));
  }

  /** Our figure over that of the fastest it is measured against. */
  public double ratio(Map<Engine, Map<String, Double>> figures) {
    double best = against.stream().mapToDouble(e -> value(figures, e)).max().orElseThrow();
    return value(figures, Engine.CHUNKLLAMA) / best;
  }

  private double value(Map<Engine, Map<String, Double>> figures, Engine engine) {
    return figures.getOrDefault(engine, Map.of()).getOrDefault(figure, Double.NaN);
  }
}
