package org.chunkllama.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/** Checks a plan against the sequences it was made from, in the plainest way. */
final class PlanChecker {
  /** A sequence as it is given to the planner. */
  record Rows(int[] chunkIds, int firstPosition, int tokens) {
    int end() {
      return firstPosition + tokens;
    }
  }

  private PlanChecker() {}

  static void check(AttentionPlan plan, List<Rows> batch) {
    int c = plan.chunkTokens;
    int rows = batch.stream().mapToInt(Rows::tokens).sum();
    assertThat(plan.rows).isEqualTo(rows);
    int row = 0;
    for (Rows sequence : batch) {
      for (int i = 0; i < sequence.tokens; i++, row++) {
        int position = sequence.firstPosition + i;
        assertThat(plan.rowPosition[row]).isEqualTo(position);
        assertThat(plan.rowChunk[row]).isEqualTo(sequence.chunkIds[position / c]);
        assertThat(plan.rowSlot[row]).isEqualTo(position % c);
      }
    }
    checkCoverage(plan, batch);
    checkPartials(plan);
  }

  private static void checkCoverage(AttentionPlan plan, List<Rows> batch) {
    int[][] path = new int[plan.rows][];
    int row = 0;
    for (Rows sequence : batch) {
      Arrays.fill(path, row, row + sequence.tokens, sequence.chunkIds);
      row += sequence.tokens;
    }
    BitSet[] seen = new BitSet[plan.rows];
    Arrays.setAll(seen, i -> new BitSet());
    for (int s = 0; s < plan.segments; s++) {
      checkSegment(plan, s, path, seen);
    }
    for (int r = 0; r < plan.rows; r++) {
      assertThat(seen[r].cardinality())
          .as("tokens row %d sees", r)
          .isEqualTo(plan.rowPosition[r] + 1);
    }
  }

  private static void checkSegment(AttentionPlan plan, int s, int[][] path, BitSet[] seen) {
    int c = plan.chunkTokens;
    int first = plan.segmentFirstToken[s];
    int tokens = plan.segmentTokens[s];
    int chunks = (tokens - 1) / c + 1;
    assertThat(plan.segmentRows[s]).isPositive();
    assertThat(tokens).isPositive();
    assertThat(first % c).isZero();
    assertThat(plan.segmentChunkStart[s] + chunks).isLessThanOrEqualTo(plan.chunkIdCount);
    int last = -1;
    for (int i = 0; i < plan.segmentRows[s]; i++) {
      int r = plan.segmentFirstRow[s] + i;
      assertThat(plan.rowPosition[r]).as("sees the first token").isGreaterThanOrEqualTo(first);
      last = Math.max(last, plan.rowPosition[r]);
      int end = Math.min(first + tokens, plan.rowPosition[r] + 1);
      assertThat(seen[r].nextSetBit(first))
          .as("seen twice by row %d", r)
          .matches(b -> b < 0 || b >= end);
      seen[r].set(first, end);
      for (int chunk = 0; first + chunk * c < end; chunk++) {
        assertThat(plan.chunkIds[plan.segmentChunkStart[s] + chunk])
            .isEqualTo(path[r][first / c + chunk]);
      }
    }
    assertThat(first + tokens).as("nothing past what a row sees").isLessThanOrEqualTo(last + 1);
  }

  private static void checkPartials(AttentionPlan plan) {
    int[] covering = new int[plan.rows];
    for (int s = 0; s < plan.segments; s++) {
      for (int i = 0; i < plan.segmentRows[s]; i++) {
        covering[plan.segmentFirstRow[s] + i]++;
      }
    }
    int[] owner = new int[plan.partials];
    Arrays.fill(owner, -1);
    for (int s = 0; s < plan.segments; s++) {
      boolean alone = true;
      for (int i = 0; i < plan.segmentRows[s]; i++) {
        alone &= covering[plan.segmentFirstRow[s] + i] == 1;
      }
      assertThat(plan.segmentPartial[s] == -1)
          .as("direct output of segment %d", s)
          .isEqualTo(alone);
      for (int i = 0; !alone && i < plan.segmentRows[s]; i++) {
        int slot = plan.segmentPartial[s] + i;
        assertThat(owner[slot]).as("slot %d used twice", slot).isEqualTo(-1);
        owner[slot] = plan.segmentFirstRow[s] + i;
      }
    }
    checkSlotLists(plan, owner);
  }

  private static void checkSlotLists(AttentionPlan plan, int[] owner) {
    assertThat(plan.rowPartialStart[0]).isZero();
    assertThat(plan.rowPartialStart[plan.rows]).isEqualTo(plan.partials);
    boolean[] listed = new boolean[plan.partials];
    for (int r = 0; r < plan.rows; r++) {
      assertThat(plan.rowPartialStart[r + 1]).isGreaterThanOrEqualTo(plan.rowPartialStart[r]);
      for (int i = plan.rowPartialStart[r]; i < plan.rowPartialStart[r + 1]; i++) {
        int slot = plan.rowPartial[i];
        assertThat(listed[slot]).isFalse();
        listed[slot] = true;
        assertThat(owner[slot]).isEqualTo(r);
      }
    }
  }

  /** A copy of what counts, for comparison with another plan. */
  static String describe(AttentionPlan p) {
    return String.join(
        "\n",
        "position " + Arrays.toString(Arrays.copyOf(p.rowPosition, p.rows)),
        "chunk " + Arrays.toString(Arrays.copyOf(p.rowChunk, p.rows)),
        "slot " + Arrays.toString(Arrays.copyOf(p.rowSlot, p.rows)),
        "firstRow " + Arrays.toString(Arrays.copyOf(p.segmentFirstRow, p.segments)),
        "rows " + Arrays.toString(Arrays.copyOf(p.segmentRows, p.segments)),
        "firstToken " + Arrays.toString(Arrays.copyOf(p.segmentFirstToken, p.segments)),
        "tokens " + Arrays.toString(Arrays.copyOf(p.segmentTokens, p.segments)),
        "chunkStart " + Arrays.toString(Arrays.copyOf(p.segmentChunkStart, p.segments)),
        "partial " + Arrays.toString(Arrays.copyOf(p.segmentPartial, p.segments)),
        "ids " + Arrays.toString(Arrays.copyOf(p.chunkIds, p.chunkIdCount)),
        "rowPartialStart " + Arrays.toString(Arrays.copyOf(p.rowPartialStart, p.rows + 1)),
        "rowPartial " + Arrays.toString(Arrays.copyOf(p.rowPartial, p.partials)));
  }
}
