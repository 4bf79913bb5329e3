package org.chunkllama.cuda;

import java.util.Arrays;
import org.chunkllama.plan.AttentionPlan;

/** The segments of a plan, their rows cut into blocks that one record can take. */
final class Blocks {
  int count;
  int[] segment = new int[64];
  int[] firstRow = new int[64];
  int[] rows = new int[64];

  /** Position of the first token. */
  int[] firstToken = new int[64];

  /** Tokens that some of the rows see. */
  int[] tokens = new int[64];

  /** Tokens that all of the rows see. */
  int[] seenByAll = new int[64];

  /**
   * Takes the blocks of {@code plan}, of up to {@code rowsMax} rows, instead of those of the last.
   */
  void of(AttentionPlan plan, int rowsMax) {
    count = 0;
    for (int s = 0; s < plan.segments; s++) {
      int all = plan.segmentRows[s];
      int parts = Math.ceilDiv(all, rowsMax);
      for (int i = 0; i < parts; i++) {
        int begin = (int) ((long) all * i / parts);
        int end = (int) ((long) all * (i + 1) / parts);
        add(plan, s, plan.segmentFirstRow[s] + begin, end - begin);
      }
    }
  }

  private void add(AttentionPlan plan, int s, int row, int size) {
    if (count == segment.length) {
      grow();
    }
    segment[count] = s;
    firstRow[count] = row;
    rows[count] = size;
    firstToken[count] = plan.segmentFirstToken[s];
    tokens[count] = tokens(plan, count);
    seenByAll[count] = seenByAll(plan, count);
    count++;
  }

  private void grow() {
    int size = 2 * count;
    segment = Arrays.copyOf(segment, size);
    firstRow = Arrays.copyOf(firstRow, size);
    rows = Arrays.copyOf(rows, size);
    firstToken = Arrays.copyOf(firstToken, size);
    tokens = Arrays.copyOf(tokens, size);
    seenByAll = Arrays.copyOf(seenByAll, size);
  }

  /** True if the same rows read from the same positions on, none of them less than all tokens. */
  boolean hasStructureOf(Blocks other) {
    if (count != other.count) {
      return false;
    }
    for (int b = 0; b < count; b++) {
      if (isCausal(b) || other.isCausal(b)) {
        return false;
      }
    }
    return Arrays.equals(segment, 0, count, other.segment, 0, count)
        && Arrays.equals(firstRow, 0, count, other.firstRow, 0, count)
        && Arrays.equals(rows, 0, count, other.rows, 0, count)
        && Arrays.equals(firstToken, 0, count, other.firstToken, 0, count);
  }

  /** True if no block is shorter than the other's or more than {@code most} tokens longer. */
  boolean isLittleLongerThan(Blocks other, int most) {
    for (int b = 0; b < count; b++) {
      int longer = tokens[b] - other.tokens[b];
      if (longer < 0 || longer > most) {
        return false;
      }
    }
    return true;
  }

  /** True if the rows see different numbers of tokens. */
  boolean isCausal(int block) {
    return seenByAll[block] < tokens[block];
  }

  /** Tokens of a block as the plan is now. */
  int tokens(AttentionPlan plan, int block) {
    int seen = 0;
    for (int r = firstRow[block]; r < firstRow[block] + rows[block]; r++) {
      seen = Math.max(seen, plan.rowPosition[r] + 1 - firstToken[block]);
    }
    return Math.min(plan.segmentTokens[segment[block]], seen);
  }

  private int seenByAll(AttentionPlan plan, int block) {
    int seen = plan.segmentTokens[segment[block]];
    for (int r = firstRow[block]; r < firstRow[block] + rows[block]; r++) {
      seen = Math.min(seen, plan.rowPosition[r] + 1 - firstToken[block]);
    }
    return seen;
  }
}
