package org.chunkllama.bench;

import java.util.SplittableRandom;
import org.chunkllama.bench.AttentionWorkload.Heads;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.plan.AttentionPlanner;
import org.chunkllama.spi.Backend;

/**
 * Plans of a batch that decodes behind a common prefix, one token a step. Sequences have different
 * lengths, so that in most steps some begin a chunk; one that has reached its end begins again.
 */
final class PlanSteps {
  private final AttentionPlanner planner;
  private final int shared;
  private final int own;
  private final int[][] paths;
  private final int[] positions;

  /** {@code batch} sequences with up to {@code own} tokens behind {@code shared} common ones. */
  PlanSteps(Backend backend, Heads heads, int batch, int shared, int own) {
    this.shared = shared;
    this.own = own;
    planner =
        new AttentionPlanner(
            heads.chunkTokens(),
            backend.parallelism(),
            heads.queryHeads(),
            heads.kvHeads(),
            true,
            backend.planCosts(heads.layout(), heads.queryHeads()));
    paths = AttentionWorkload.paths(batch, shared, own, heads.chunkTokens());
    positions = new SplittableRandom(1).ints(batch, shared, shared + own).toArray();
  }

  /** Chunks that all sequences take together. */
  int chunks() {
    return paths[paths.length - 1][paths[0].length - 1] + 1;
  }

  int rows() {
    return positions.length;
  }

  /** The plan of the next step. */
  AttentionPlan next() {
    planner.begin();
    for (int s = 0; s < positions.length; s++) {
      planner.add(paths[s], positions[s], 1);
      positions[s] = positions[s] + 1 < shared + own ? positions[s] + 1 : shared;
    }
    return planner.finish();
  }
}
