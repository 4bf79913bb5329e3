package org.chunkllama.cuda;

import org.chunkllama.plan.AttentionPlan;

/**
 * Chooses for each step how many query rows a record may have: {@link #SMALL}, or as many as the
 * kernel takes. A shared run is cut into about one piece a lane whatever its rows, so with half of
 * the rows in a record half as many partial states are written and merged; in return its tokens are
 * read twice as often, from the cache. That pays while the step is short, or waits for memory
 * anyway.
 *
 * <p>Costs are in units of one token read, see {@link KvCosts}.
 */
final class RecordRows {
  /** Query rows of a small record: half of what one product takes. */
  static final int SMALL = 64;

  /** Records of fewer query rows come out too uneven when halved. */
  private static final int FULL = 96;

  private static final double STATE = 1.6; // of one query row's state, written and merged
  private static final double WORTH = 0.97; // small records must take less than this of the time

  private final int lanes;
  private final int group;
  private final int most;
  private final int small;
  private final KvCosts costs;

  /**
   * For a kernel.
   *
   * @param most rows that a record may have
   */
  RecordRows(int lanes, int group, int most, KvCosts costs) {
    this.lanes = lanes;
    this.group = group;
    this.most = most;
    this.small = SMALL / group;
    this.costs = costs;
  }

  /** Rows that one record may have at most, ever. */
  int most() {
    return most;
  }

  /**
   * Rows that one record may have in a step.
   *
   * @param blocks the plan's, of {@link #most} rows
   */
  int of(AttentionPlan plan, Blocks blocks) {
    return most * group > SMALL && smallPays(plan, blocks) ? small : most;
  }

  private boolean smallPays(AttentionPlan plan, Blocks blocks) {
    double memory = 0; // each run read once
    double whole = 0; // work with the blocks as they are
    double halved = 0;
    double shared = 0; // tokens of the blocks of several rows
    double states = 0; // their query rows, weighted with tokens
    double statesHalved = 0;
    int records = 0; // of several rows, when halved
    for (int b = 0; b < blocks.count; b++) {
      int rows = blocks.rows[b];
      int queries = rows * group;
      double tokens = blocks.tokens[b];
      if (b == 0 || firstChunk(plan, blocks, b) != firstChunk(plan, blocks, b - 1)) {
        memory += tokens * costs.read();
      }
      if (rows == 1) {
        whole += tokens * costs.single();
        halved += tokens * costs.single();
        continue;
      }
      boolean isLarge = queries > SMALL;
      if (isLarge && (queries <= FULL || blocks.isCausal(b))) {
        return false;
      }
      int parts = isLarge ? Math.ceilDiv(rows, small) : 1;
      whole += tokens * (isLarge ? costs.large() : costs.small());
      halved += tokens * parts * costs.small();
      shared += tokens;
      states += tokens * queries;
      statesHalved += tokens * queries / parts;
      records += parts;
    }
    if (states == statesHalved || lanes % records != 0) {
      return false; // nothing to halve; or lanes would have the ends of two runs
    }
    double before = Math.max(memory, whole) / lanes + STATE * states / shared;
    double after = Math.max(memory, halved) / lanes + STATE * statesHalved / shared;
    return after < WORTH * before;
  }

  private static int firstChunk(AttentionPlan plan, Blocks blocks, int block) {
    return plan.chunkIds[plan.segmentChunkStart[blocks.segment[block]]];
  }
}
