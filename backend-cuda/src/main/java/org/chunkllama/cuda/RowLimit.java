package org.chunkllama.cuda;

import org.chunkllama.plan.AttentionPlan;

/**
 * How many rows a record may have: with fewer, each block leaves and merges fewer states, but K and
 * V are read more often. What serves a plan best is a matter of what bounds it: memory, or
 * arithmetic and the way from L2. Costs are in units of one 16-bit token read from memory; measured
 * on an H100.
 */
final class RowLimit {
  private static final int LEAST_QUERIES = 32; // of a record, where rows are limited further
  private static final double OVERLAP = 0.15; // of the lesser bound: what the greater does not hide
  private static final double STATE = 2.2; // a query row of the largest record

  private final int lanes;
  private final int group;
  private final int most;
  private final KvCosts costs;

  /**
   * A limit for plans.
   *
   * @param lanes lists of records, 1 or more
   * @param group query heads per KV head
   * @param most rows that a record can have, 1 or more
   * @param costs of the type of K and V
   */
  RowLimit(int lanes, int group, int most, KvCosts costs) {
    this.lanes = lanes;
    this.group = group;
    this.most = most;
    this.costs = costs;
  }

  /** The rows of a record for {@code plan}. */
  int of(AttentionPlan plan) {
    if (isPrefill(plan)) {
      return most; // many rows leave no states
    }
    int best = most;
    double least = cost(plan, most);
    for (int rows = most / 2; rows >= Math.max(2, most / 4); rows /= 2) {
      if (rows * group < LEAST_QUERIES) {
        break;
      }
      double cost = cost(plan, rows);
      if (cost < least) {
        least = cost;
        best = rows;
      }
    }
    return best;
  }

  /** True if the rows of a run see different numbers of its tokens. */
  private static boolean isPrefill(AttentionPlan plan) {
    for (int s = 0; s < plan.segments; s++) {
      int end = plan.segmentFirstToken[s] + plan.segmentTokens[s];
      if (plan.segmentRows[s] > 1 && end > plan.rowPosition[plan.segmentFirstRow[s]] + 1) {
        return true;
      }
    }
    return false;
  }

  private double cost(AttentionPlan plan, int limit) {
    double unique = 0;
    double work = 0;
    int states = 0;
    for (int s = 0; s < plan.segments; s++) {
      int rows = plan.segmentRows[s];
      int tokens = plan.segmentTokens[s];
      if (s == 0 || !readsTheSame(plan, s, s - 1)) {
        unique += costs.read() * tokens;
      }
      if (rows == 1) {
        work += costs.single() * tokens;
      } else {
        int blocks = Math.ceilDiv(rows, limit);
        if (blocks > 2 * Math.ceilDiv(rows, most)) { // L2 has other work too
          return Double.POSITIVE_INFINITY;
        }
        int queries = Math.ceilDiv(rows, blocks) * group;
        work += blocks * price(queries) * tokens;
        states = Math.max(states, queries);
      }
    }
    double bound = Math.max(unique, work) + OVERLAP * Math.min(unique, work);
    return bound / lanes + STATE * states;
  }

  private static boolean readsTheSame(AttentionPlan plan, int segment, int other) {
    return plan.segmentFirstToken[segment] == plan.segmentFirstToken[other]
        && plan.chunkIds[plan.segmentChunkStart[segment]]
            == plan.chunkIds[plan.segmentChunkStart[other]];
  }

  private double price(int queries) {
    return queries <= 32 ? costs.few() : queries <= 64 ? costs.some() : costs.many();
  }
}
