package org.chunkllama.cpu;

import org.chunkllama.plan.AttentionPlan;

/**
 * Merges the attention states of a row: outputs are weighted with 2^(m - max m) and divided by the
 * sum of l so weighted. Empty states (l = 0) are neutral; if there is nothing else the output is
 * zero.
 */
final class StateMerge {
  private final AttentionCall call;
  private final long sum;
  private final int d;

  /**
   * @param sum memory of one worker for {@code d} floats
   */
  StateMerge(AttentionCall call, long sum, int d) {
    this.call = call;
    this.sum = sum;
    this.d = d;
  }

  /** Writes the outputs of a row's query heads [firstHead, endHead). */
  void merge(int row, int firstHead, int endHead) {
    for (int head = firstHead; head < endHead; head++) {
      merge(row, head);
    }
  }

  private void merge(int row, int head) {
    AttentionPlan plan = call.plan();
    int end = plan.rowPartialStart[row + 1];
    float max = OnlineSoftmax.NOTHING;
    for (int i = plan.rowPartialStart[row]; i < end; i++) {
      max = Math.max(max, NativeMemory.get(reference(call.state(plan.rowPartial[i], head))));
    }
    Rows.clear(sum, d);
    float l = 0;
    for (int i = plan.rowPartialStart[row]; i < end; i++) {
      long state = call.state(plan.rowPartial[i], head);
      float weight = (float) Math.pow(2, NativeMemory.get(reference(state)) - max);
      l += weight * NativeMemory.get(reference(state) + Float.BYTES);
      Rows.addScaled(state, d, weight, sum);
    }
    int dim = call.cache().layout().headDim();
    Rows.scaledCopy(sum, dim, l == 0 ? 0 : 1 / l, call.out(row, head), dim);
  }

  /** Where a state keeps m; l follows. */
  private long reference(long state) {
    return state + (long) d * Float.BYTES;
  }
}
