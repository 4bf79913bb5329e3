package org.chunkllama.cuda;

import org.chunkllama.plan.StepCosts;
import org.chunkllama.spi.DType;

/**
 * What a token costs the tensor-core kernel by the type of its K and V, in units of one 16-bit
 * token that a lane reads from memory. Measured on an H100 with heads of 128 values; see
 * docs/kernels.md.
 *
 * @param read from memory, once
 * @param single one token of a row of its own
 * @param few one token of a record of up to 32 query rows, read again from the cache
 * @param some of up to 64
 * @param many of more
 * @param mixed tokens of a lane's single rows above which they stand on both sides of its records
 *     of several rows
 * @param balance what {@link Knob#BALANCE} is multiplied with: widening adds to the arithmetic
 * @param step what the shared runs of a step must be worth together, of one multiprocessor
 */
record KvCosts(
    double read,
    double single,
    double few,
    double some,
    double many,
    double mixed,
    double balance,
    StepCosts step) {
  static final KvCosts SIXTEEN =
      new KvCosts(1, 0.55, 0.66, 0.56, 0.8, 384, 1, new StepCosts(0.1, 0.55, 80, 1, 10, 8));

  /**
   * A row that is not shared is widened for itself: sharing saves more than the read, and single
   * rows are bound by arithmetic as well, so that mixing does not pay.
   */
  static final KvCosts EIGHT =
      new KvCosts(
          0.55,
          0.6,
          0.68,
          0.68,
          0.95,
          Double.POSITIVE_INFINITY,
          0.8,
          new StepCosts(0.2, 0, 30, 1, 1, 1));

  static KvCosts of(DType type) {
    return type == DType.F8 || type == DType.I8 ? EIGHT : SIXTEEN;
  }
}
