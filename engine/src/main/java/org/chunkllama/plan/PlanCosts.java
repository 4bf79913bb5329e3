package org.chunkllama.plan;

/**
 * What the planner believes attention costs, per KV head. Only ratios matter; the unit is the time
 * in which one query head scores and weighs one cached token ({@code row} = 1). All of them grow
 * with the head dim, so it does not appear.
 *
 * <p>A segment of t tokens and q query heads is taken to cost {@code t * (read + q * row) +
 * segment}, and {@code q * partial} more if it leaves partial states.
 *
 * @param read streaming K and V of one token from memory
 * @param reread reading K and V of one token again for another segment of the same step, from a
 *     cache at best: what sharing saves
 * @param row one query head against one token
 * @param partial writing one query head's attention state and merging it
 * @param segment starting one piece of work
 * @param maxQueryHeads query heads of one KV head that a segment takes at most (rows times group
 *     size): what a kernel keeps in its nearest cache
 * @param step what the shared runs of a step must be worth together
 */
public record PlanCosts(
    double read,
    double reread,
    double row,
    double partial,
    double segment,
    int maxQueryHeads,
    StepCosts step) {
  public PlanCosts {
    if (!(read >= 0 && reread >= 0 && row > 0 && partial >= 0 && segment >= 0)) {
      throw new IllegalArgumentException("plan costs must not be negative, and row must be > 0");
    }
    if (maxQueryHeads < 1) {
      throw new IllegalArgumentException("maxQueryHeads must be positive, not " + maxQueryHeads);
    }
  }

  /** Costs by which each run is judged for itself. */
  public PlanCosts(
      double read, double reread, double row, double partial, double segment, int maxQueryHeads) {
    this(read, reread, row, partial, segment, maxQueryHeads, StepCosts.NONE);
  }

  /**
   * For a CPU core with wide vectors and fp32 KV. Fitted by timing the same batches shared and
   * unshared on the CPU backend (512-bit vectors, one thread, a busy machine): reread 2 and partial
   * 9 with one query head per KV head of 128 values, 1.2 and 22 with three of 64. Partial states
   * are taken dearer than that, so that a run near break-even is left unshared: sharing must not
   * lose. {@code read} and {@code segment} are rougher: they only balance the cuts.
   */
  public static PlanCosts defaults() {
    return new PlanCosts(8, 1.5, 1, 32, 40, 256);
  }

  /** Rows that one segment takes at most: 16 to 128, a power of two. */
  int maxRows(int groupSize) {
    return Math.clamp(Integer.highestOneBit(Math.max(1, maxQueryHeads / groupSize)), 16, 128);
  }
}
