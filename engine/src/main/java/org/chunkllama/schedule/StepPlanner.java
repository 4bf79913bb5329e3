package org.chunkllama.schedule;

import java.util.List;
import org.chunkllama.model.StepPlan;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.plan.AttentionPlanner;
import org.chunkllama.prefix.PrefixTree;
import org.chunkllama.prefix.Sequence;
import org.jspecify.annotations.Nullable;

/** Turns a batch into the arrays that the model reads, and guesses those of the step after it. */
final class StepPlanner {
  private final AttentionPlanner attention;
  private final int[] tokens; // [rows]
  private final int[] outputRows; // [rows]
  private final int[] begun; // [rows] chunks that a step ahead begins
  private int[] path = new int[64];

  StepPlanner(AttentionPlanner attention, int rows) {
    this.attention = attention;
    this.tokens = new int[rows];
    this.outputRows = new int[rows];
    this.begun = new int[rows];
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
    return finish(outputs);
  }

  /**
   * The plan of a step in which each of {@code lives}, in the tree's order and computed, has got
   * one more token: which tokens, and the chunks that they begin, are not known yet, and the latter
   * are guessed. Changes nothing; {@link #plan} finds out what differs. Null if the pool may be too
   * small.
   */
  @Nullable StepPlan ahead(List<Live> lives, PrefixTree tree) {
    int begins = 0;
    for (Live live : lives) {
      begins += beginsChunk(live.sequence, tree) ? 1 : 0;
    }
    if (!tree.upcomingChunks(begun, begins)) {
      return null;
    }
    attention.begin();
    int next = 0;
    for (int row = 0; row < lives.size(); row++) {
      Sequence sequence = lives.get(row).sequence;
      int[] chunks =
          beginsChunk(sequence, tree) ? longer(sequence, begun[next++]) : sequence.chunkIds();
      attention.add(chunks, sequence.length(), 1);
      outputRows[row] = row;
    }
    return finish(lives.size());
  }

  private static boolean beginsChunk(Sequence sequence, PrefixTree tree) {
    return sequence.length() == sequence.chunkCount() * tree.chunkTokens();
  }

  private int[] longer(Sequence sequence, int chunk) {
    int count = sequence.chunkCount();
    if (path.length <= count) {
      path = new int[2 * count];
    }
    System.arraycopy(sequence.chunkIds(), 0, path, 0, count);
    path[count] = chunk;
    return path;
  }

  private StepPlan finish(int outputs) {
    AttentionPlan plan = attention.finish();
    return new StepPlan(tokens, plan.rowPosition, outputRows, outputs, plan);
  }
}
