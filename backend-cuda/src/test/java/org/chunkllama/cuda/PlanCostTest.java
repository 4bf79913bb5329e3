package org.chunkllama.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.management.ManagementFactory;
import java.util.SplittableRandom;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.plan.AttentionPlanner;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What a step of 128 decoding sequences behind a common prefix costs on the host, but for the
 * copies to the GPU. Needs no GPU.
 */
class PlanCostTest {
  private static final Logger LOG = System.getLogger(PlanCostTest.class.getName());
  private static final int BATCH = 128;
  private static final int CHUNK = 64;
  private static final int OWN = 512; // tokens at most, then a sequence begins again
  private static final int UNITS = 132;
  private static final int ROUNDS = 40;
  private static final int STEPS = 512; // of a round

  /** The figures of docs/kernels.md; an overloaded machine may take several times as long. */
  private static final double MICROS_MAX = 250;

  /** Sequences of different lengths: in most steps some of them begin a chunk. */
  private static final class Decoding {
    final RecordTable table;
    int builds;
    private final AttentionPlanner planner;
    private final int prefix;
    private final int[][] paths = new int[BATCH][];
    private final int[] positions = new int[BATCH];
    private long version = -1;

    Decoding(int prefix, int kvHeads, int group) {
      this.prefix = prefix;
      planner =
          new AttentionPlanner(
              CHUNK,
              1,
              kvHeads * group,
              kvHeads,
              true,
              CudaTuning.HEURISTIC.planCosts(UNITS, KvCosts.SIXTEEN));
      table =
          new RecordTable(
              Math.max(1, UNITS / kvHeads),
              group,
              128 / group,
              CudaTuning.HEURISTIC,
              KvCosts.SIXTEEN);
      SplittableRandom random = new SplittableRandom(1);
      int next = prefix / CHUNK;
      for (int s = 0; s < BATCH; s++) {
        paths[s] = new int[(prefix + OWN) / CHUNK];
        for (int i = 0; i < paths[s].length; i++) {
          paths[s][i] = i < prefix / CHUNK ? i : next++;
        }
        positions[s] = prefix + random.nextInt(OWN);
      }
    }

    void step() {
      planner.begin();
      for (int s = 0; s < BATCH; s++) {
        planner.add(paths[s], positions[s], 1);
        positions[s] = positions[s] + 1 < prefix + OWN ? positions[s] + 1 : prefix;
      }
      AttentionPlan plan = planner.finish();
      if (plan.version == version) {
        table.advance(plan);
      } else {
        table.build(plan);
        builds++;
        version = plan.version;
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"2048,8,4", "2048,32,1", "2048,1,8", "16384,8,4"})
  void aStepTakesMicroseconds(int prefix, int kvHeads, int group) {
    Decoding decoding = new Decoding(prefix, kvHeads, group);
    double least = Double.MAX_VALUE;
    for (int round = 0; round < ROUNDS; round++) {
      long start = System.nanoTime();
      for (int i = 0; i < STEPS; i++) {
        decoding.step();
      }
      least = Math.min(least, (System.nanoTime() - start) / 1e3 / STEPS);
    }
    double rebuilt = (double) decoding.builds / ROUNDS / STEPS;
    LOG.log(
        Level.INFO,
        "prefix %d, %d KV heads, group %d: %.1f us a step, %.0f %% of them rebuild"
            .formatted(prefix, kvHeads, group, least, 100 * rebuilt));
    assertThat(rebuilt).isBetween(0.5, 0.95);
    assertThat(decoding.table.partials).as("the prefix is shared").isPositive();
    assertThat(least).isLessThan(MICROS_MAX);
  }

  @Test
  void stepsThatOnlyAdvanceAllocateNothing() {
    Decoding decoding = new Decoding(2048, 8, 4);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long steady = 0;
    for (int i = 0; i < 20_000; i++) {
      int builds = decoding.builds;
      long before = threads.getCurrentThreadAllocatedBytes();
      decoding.step();
      long bytes = threads.getCurrentThreadAllocatedBytes() - before;
      if (decoding.builds == builds && i > 1000) {
        steady++;
        assertThat(bytes).as("step %d", i).isZero();
      }
    }
    assertThat(steady).isGreaterThan(1000);
  }
}
