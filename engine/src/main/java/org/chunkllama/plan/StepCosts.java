package org.chunkllama.plan;

/**
 * What a step pays for having shared runs at all, on a device whose units wait for each other's
 * partial states. Per KV head, in the unit of {@link PlanCosts}. Shared runs that pay one by one
 * may still lose together; then the whole step is left unshared.
 *
 * @param reread reading one token again while all units read: what a token that is read once less
 *     saves
 * @param waiting of each unit, until the others' states are there
 * @param units that work at once, for all KV heads together
 * @param state of one query head's partial state
 * @param run of one run, shared or not
 */
public record StepCosts(double reread, double waiting, int units, double state, double run) {
  /** Nothing: every run is judged for itself alone. */
  public static final StepCosts NONE = new StepCosts(1, 0, 1, 0, 0);

  public StepCosts {
    if (!(reread >= 0 && waiting >= 0 && units >= 1 && state >= 0 && run >= 0)) {
      throw new IllegalArgumentException("step costs must not be negative, and units must be > 0");
    }
  }

  /**
   * True if a step gains by its shared runs.
   *
   * @param savedTokens tokens that it reads less than without sharing
   * @param kvHeads among which the units are divided
   * @param states partial states of one query head
   * @param runs runs
   */
  boolean pays(double savedTokens, int kvHeads, long states, int runs) {
    double lanes = Math.max(1, units / kvHeads);
    return savedTokens * reread > waiting * lanes + states * state + runs * run;
  }
}
