package org.chunkllama.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.plan.AttentionPlanner;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Fewer rows in a record where that was measured to be faster, as many as fit where not. */
class RowLimitTest {
  private static final int CHUNK = 64;
  private static final int UNITS = 132;

  /** Decoding: {@code batch} sequences behind a prefix; {@code last} rows of each. */
  private static AttentionPlan plan(
      int kvHeads, KvCosts costs, int batch, int shared, int own, int last) {
    AttentionPlanner planner =
        new AttentionPlanner(
            CHUNK, 1, 32, kvHeads, true, CudaTuning.HEURISTIC.planCosts(UNITS, costs));
    planner.begin();
    int next = shared / CHUNK;
    for (int s = 0; s < batch; s++) {
      int[] path = new int[(shared + own) / CHUNK];
      int first = next;
      Arrays.setAll(path, c -> c < shared / CHUNK ? c : first + c);
      next += path.length;
      planner.add(path, shared + own - last, last);
    }
    return planner.finish();
  }

  private static int most(int kvHeads, KvCosts costs, AttentionPlan plan) {
    int group = 32 / kvHeads;
    RecordTable table =
        new RecordTable(UNITS / kvHeads, group, 128 / group, CudaTuning.HEURISTIC, costs);
    table.build(plan);
    int most = 0;
    for (int i = 0; i < table.count(); i++) {
      most = Math.max(most, table.rows(i) * group);
    }
    return most;
  }

  @ParameterizedTest
  @CsvSource({
    // 16 bits: time with this limit to that with 128 query rows, on an H100
    "8,   16,  1024,  64,  32", // 0.89
    "8,   32,  1024,  64,  64", // 0.83
    "8,   32,  2048, 256,  64", // 0.89
    "8,   32,  8192,  64,  64", // 0.88
    "8,   64,  1024,  64,  64", // 0.85
    "8,   64,  2048, 256,  64", // 0.94
    "8,   64,  4096,  64, 128",
    "8,   64, 16384,  64, 128",
    "8,  128,  8192,  64, 128",
    "32, 128,  1024,  64,  64", // 0.95
    "32, 128,  2048, 1024, 64", // 1.00
    "32,  32,  2048,  64,  32",
  })
  void sixteenBits(int kvHeads, int batch, int shared, int own, int queryRows) {
    AttentionPlan plan = plan(kvHeads, KvCosts.SIXTEEN, batch, shared, own, 1);
    assertThat(most(kvHeads, KvCosts.SIXTEEN, plan)).isEqualTo(queryRows);
  }

  @ParameterizedTest
  @CsvSource({
    "8,   32,  1024,  64,  64", // 0.85
    "8,   32,  2048,  64,  64", // 0.89
    "8,   32, 16384,  64, 128", // 1.21
    "8,   64,  4096,  64, 128", // 1.08
    "32, 128,  2048,  64, 128", // 1.04
  })
  void eightBits(int kvHeads, int batch, int shared, int own, int queryRows) {
    AttentionPlan plan = plan(kvHeads, KvCosts.EIGHT, batch, shared, own, 1);
    assertThat(most(kvHeads, KvCosts.EIGHT, plan)).isEqualTo(queryRows);
  }

  @Test
  void prefillKeepsLargeRecords() {
    AttentionPlan plan = plan(8, KvCosts.SIXTEEN, 2, 1024, 256, 64);
    assertThat(most(8, KvCosts.SIXTEEN, plan)).isEqualTo(128);
  }

  @Test
  void eightBitsShareMore() {
    // Rereads of 16 bits come from the cache at little cost; of 8 bits they are widened again.
    assertThat(most(8, KvCosts.SIXTEEN, plan(8, KvCosts.SIXTEEN, 8, 1024, 1024, 1))).isEqualTo(4);
    assertThat(most(8, KvCosts.EIGHT, plan(8, KvCosts.EIGHT, 8, 1024, 1024, 1))).isEqualTo(32);
    // 1.05 of the time when shared
    assertThat(most(8, KvCosts.EIGHT, plan(8, KvCosts.EIGHT, 3, 832, 1216, 1))).isEqualTo(4);
  }

  @Test
  void smallerLimitsStay() {
    AttentionPlan plan = plan(8, KvCosts.SIXTEEN, 32, 1024, 64, 1);
    RecordTable table = new RecordTable(16, 4, 8, CudaTuning.HEURISTIC, KvCosts.SIXTEEN);
    table.build(plan);
    for (int i = 0; i < table.count(); i++) {
      assertThat(table.rows(i)).isLessThanOrEqualTo(8);
    }
  }
}
