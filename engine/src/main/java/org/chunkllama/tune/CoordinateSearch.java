package org.chunkllama.tune;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/**
 * Looks for cheaper values of several settings, one setting at a time: from the best known point a
 * step up or down its ladder, on in the same direction while that gains, until no single step gains
 * any more or time is over. No point is measured twice.
 */
final class CoordinateSearch {
  /** What a point costs: lower is better, infinite is not allowed. */
  @FunctionalInterface
  interface Objective {
    double cost(List<Double> values);
  }

  /**
   * What came out.
   *
   * @param values the best point
   * @param cost of it
   * @param points that were measured
   * @param complete false if time was over first
   */
  record Found(List<Double> values, double cost, int points, boolean complete) {}

  private final List<List<Double>> ladders;
  private final double gain;
  private final BooleanSupplier timeIsOver;
  private final Map<List<Double>, Double> known = new HashMap<>();

  /**
   * A search.
   *
   * @param ladders values of each setting, rising
   * @param gain share of the cost that a step must save, to stand out from noise
   * @param timeIsOver asked before each measurement
   */
  CoordinateSearch(List<List<Double>> ladders, double gain, BooleanSupplier timeIsOver) {
    this.ladders = ladders;
    this.gain = gain;
    this.timeIsOver = timeIsOver;
  }

  /** Searches from {@code start}, which is measured first and need not be on the ladders. */
  Found search(List<Double> start, Objective objective) {
    known.clear();
    List<Double> best = start;
    double cost = objective.cost(start);
    known.put(start, cost);
    boolean gained = true;
    while (gained) {
      gained = false;
      for (int i = 0; i < ladders.size(); i++) {
        for (int direction : new int[] {1, -1}) {
          List<Double> next = step(best, i, direction);
          boolean moved = false;
          while (!next.equals(best)) {
            if (!known.containsKey(next)) {
              if (timeIsOver.getAsBoolean()) {
                return new Found(best, cost, known.size(), false);
              }
              known.put(next, objective.cost(next));
            }
            double nextCost = known.getOrDefault(next, Double.POSITIVE_INFINITY);
            if (!(nextCost < cost * (1 - gain))) {
              break;
            }
            best = next;
            cost = nextCost;
            moved = true;
            next = step(best, i, direction);
          }
          gained |= moved;
          if (moved) {
            break;
          }
        }
      }
    }
    return new Found(best, cost, known.size(), true);
  }

  /** The point with setting {@code i} one step further; the same at the ladder's end. */
  private List<Double> step(List<Double> from, int i, int direction) {
    double value = from.get(i);
    double next = value;
    for (double candidate : ladders.get(i)) {
      if (direction > 0 && candidate > value) {
        next = candidate;
        break;
      }
      if (direction < 0 && candidate < value) {
        next = candidate; // the last one below
      }
    }
    List<Double> to = new ArrayList<>(from);
    to.set(i, next);
    return to;
  }
}
