package org.chunkllama.schedule;

import org.chunkllama.model.StepPlan;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.plan.AttentionPlanner;
import org.chunkllama.prefix.Sequence;

/** Turns a batch into the arrays that the model reads. */
final class StepPlanner {
  private final AttentionPlanner attention;
  private final int[] tokens; // [rows]
  private final int[] outputRows; // [rows]

  StepPlanner(AttentionPlanner attention, int rows) {
    this.attention = attention;
    this.tokens = new int[rows];
    this.outputRows = new int[rows];
  }

  /** The plan of {@code batch}; also notes in it who completes and which row of logits is whose. */
  StepPlan plan(StepBatch batch) {
    attention.begin();
    int row = 0;
    int outputs = 0;
    for (Live live : batch.lives) {
      Sequence sequence = live.sequence;
      int from = sequence.computed();
      int to = from + live.slice;
      attention.add(sequence.chunkIds(), from, live.slice);
      for (int i = from; i < to; i++) {
        tokens[row++] = sequence.token(i);
      }
      if (to == sequence.length()) {
        boolean wanted = live.wantsLogits();
        batch.complete(live, wanted ? outputs : -1);
        if (wanted) {
          outputRows[outputs++] = row - 1;
        }
      }
    }
    AttentionPlan plan = attention.finish();
    return new StepPlan(tokens, plan.rowPosition, outputRows, outputs, plan);
  }
}
