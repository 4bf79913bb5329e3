package org.chunkllama.schedule;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Who runs in a step, in the tree's depth-first order, each with {@link Live#slice} rows. */
final class StepBatch {
  final List<Live> lives = new ArrayList<>();

  /** Those whose last token is computed in this step. */
  final List<Live> completed = new ArrayList<>();

  /** {@code [completed]} row of the logits; -1 if nobody wants them. */
  int[] outputRow = new int[64];

  int rows;
  int promptRows;

  void clear() {
    lives.clear();
    completed.clear();
    rows = 0;
    promptRows = 0;
  }

  void add(Live live) {
    lives.add(live);
    rows += live.slice;
    if (live.isPrefill()) {
      promptRows += live.slice;
    }
  }

  void complete(Live live, int row) {
    if (completed.size() == outputRow.length) {
      outputRow = Arrays.copyOf(outputRow, 2 * outputRow.length);
    }
    outputRow[completed.size()] = row;
    completed.add(live);
  }

  boolean isEmpty() {
    return lives.isEmpty();
  }
}
