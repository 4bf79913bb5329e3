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
 * @param small one token of a record of up to {@link RecordRows#SMALL} query rows, read again from
 *     the cache
 * @param large one token of a record with more
 * @param balance what {@link Knob#BALANCE} is multiplied with: widening adds to the arithmetic
 * @param isStepJudged whether shared runs that pay one by one may still lose together. Rows of 8
 *     bits are widened each for itself if they are not shared, so sharing never loses
 */
record KvCosts(
    double read, double single, double small, double large, double balance, boolean isStepJudged) {
  static final KvCosts SIXTEEN = new KvCosts(1, 0.9, 0.51, 0.64, 1, true);
  static final KvCosts EIGHT = new KvCosts(0.55, 0.6, 0.68, 0.95, 0.8, false);

  static KvCosts of(DType type) {
    return type == DType.F8 || type == DType.I8 ? EIGHT : SIXTEEN;
  }

  /** What the shared runs of a step must be worth together, on so many multiprocessors. */
  StepCosts step(int multiprocessors) {
    return isStepJudged ? new StepCosts(0.1, 0.55, 80, multiprocessors, 10, 8) : StepCosts.NONE;
  }
}
