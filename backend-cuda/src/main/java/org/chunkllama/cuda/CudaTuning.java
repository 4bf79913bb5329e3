package org.chunkllama.cuda;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.chunkllama.plan.PlanCosts;

/**
 * One value for each {@link Knob}.
 *
 * @param values all within their ranges
 */
record CudaTuning(Map<Knob, Double> values) {
  /** Where nothing was measured. */
  static final CudaTuning HEURISTIC = heuristic();

  CudaTuning {
    for (Knob knob : Knob.values()) {
      Double value = values.get(knob);
      if (value == null || !knob.allows(value)) {
        throw new IllegalArgumentException(
            "%s must be from %s to %s, not %s"
                .formatted(knob.key(), knob.values.getFirst(), knob.values.getLast(), value));
      }
    }
    values = new EnumMap<>(values);
  }

  private static CudaTuning heuristic() {
    Map<Knob, Double> values = new EnumMap<>(Knob.class);
    for (Knob knob : Knob.values()) {
      values.put(knob, knob.heuristic);
    }
    return new CudaTuning(values);
  }

  /** In the order of the knobs. */
  static CudaTuning of(List<Double> values) {
    Map<Knob, Double> map = new EnumMap<>(Knob.class);
    Iterator<Double> next = values.iterator();
    for (Knob knob : Knob.values()) {
      map.put(knob, next.next());
    }
    return new CudaTuning(map);
  }

  /** In the order of the knobs. */
  List<Double> list() {
    return new ArrayList<>(values.values());
  }

  double of(Knob knob) {
    return values.getOrDefault(knob, knob.heuristic);
  }

  /**
   * What the choice of shared runs goes by, in tokens read.
   *
   * @param multiprocessors among which a step is dealt
   * @param costs of the type of K and V
   */
  PlanCosts planCosts(int multiprocessors, KvCosts costs) {
    return new PlanCosts(
        costs.read(),
        of(Knob.REREAD),
        1 / of(Knob.BALANCE),
        of(Knob.PARTIAL),
        of(Knob.SEGMENT),
        (int) of(Knob.QUERY_ROWS),
        costs.step().withUnits(multiprocessors));
  }

  /** Lists of work for each KV head, of {@code units} blocks that are on the GPU together. */
  int lanes(int units, int kvHeads) {
    return Math.max(1, (int) (units * of(Knob.LANES)) / kvHeads);
  }

  /** Rows that one record may have, where the kernel takes {@code cap} query rows. */
  int rowsMax(int cap, int group) {
    return Math.max(1, Math.min(cap, (int) of(Knob.QUERY_ROWS)) / group);
  }
}
