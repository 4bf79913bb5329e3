package org.chunkllama.plan;

/**
 * What a step pays for having shared runs at all, on a device whose units wait for each other's
 * partial states. Per KV head, in the unit of {@link PlanCosts}. Shared runs that pay one by one
 * may still lose together; then the whole step is left unshared.
 *
 * @param reread reading one token again while memory is the limit: little, it comes from a cache
 * @param cached reading one token, the first time or again, if the cache is the limit
 * @param waiting of each unit, until the others' states are there
 * @param units that work at once, for all KV heads together
 * @param state of one query head's partial state
 * @param run of one run, shared or not
 */
public record StepCosts(
    double reread, double cached, double waiting, int units, double state, double run) {
  /** Nothing: every run is judged for itself alone. */
  public static final StepCosts NONE = new StepCosts(1, 0, 0, 1, 0, 0);

  public StepCosts {
    if (!(reread >= 0 && cached >= 0 && waiting >= 0 && units >= 1 && state >= 0 && run >= 0)) {
      throw new IllegalArgumentException("step costs must not be negative, and units must be > 0");
    }
  }

  /** The same with so many units. */
  public StepCosts withUnits(int count) {
    return new StepCosts(reread, cached, waiting, count, state, run);
  }

  /**
   * True if a step gains by its shared runs.
   *
   * @param read tokens that it reads
   * @param saved tokens that it reads less than without sharing
   * @param kvHeads among which the units are divided
   * @param states partial states of one query head
   * @param runs runs
   */
  boolean pays(double read, double saved, int kvHeads, long states, int runs) {
    double gain = Math.max(saved * reread, (read + saved) * cached - read);
    double lanes = Math.max(1, units / kvHeads);
    return gain > waiting * lanes + states * state + runs * run;
  }
}
