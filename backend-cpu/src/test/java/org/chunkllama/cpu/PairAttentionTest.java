package org.chunkllama.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.spi.BackendOptions.Precision;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Attention in bf16 by oneDNN; unwritten slots are NaN. */
class PairAttentionTest {
  // Queries and weights are rounded to 8 bits; values are below 2.
  private static final double LARGEST = 0.03;
  private static final double MEAN = 0.002;

  private final Workers workers = new Workers(2);
  private final OneDnnEngine engine = engine();
  private final CpuAttention pairs = new CpuAttention(workers, engine);
  private final CpuAttention tiles = new CpuAttention(workers, null);

  private static OneDnnEngine engine() {
    try {
      OneDnnEngine engine = ProductChoice.of(Precision.BF16, 2).engine();
      return engine != null ? engine : Assumptions.abort("no oneDNN");
    } catch (InvalidRequestException refused) {
      return Assumptions.abort("refused: " + refused.getMessage());
    }
  }

  @AfterEach
  void close() {
    pairs.close();
    tiles.close();
    workers.close();
    engine.close();
  }

  @ParameterizedTest
  @CsvSource({
    "64, 3, 9, 64, 33",
    "64, 1, 1, 64, 16",
    "64, 2, 6, 16, 70",
    "32, 1, 4, 32, 20",
    "80, 1, 2, 48, 40",
    "96, 2, 2, 112, 17",
    "128, 1, 8, 128, 9",
    "128, 2, 2, 80, 200",
    "256, 1, 2, 16, 30",
    "36, 1, 3, 64, 20",
    "64, 1, 40, 64, 7",
  })
  void sharedPrefix(int headDim, int kvHeads, int queryHeads, int chunkTokens, int rows) {
    KvLayout layout = AttentionCase.layout(kvHeads, headDim, chunkTokens, DType.BF16);
    int chunks = Math.ceilDiv(700, chunkTokens);
    try (AttentionCase c = new AttentionCase(headDim, layout, queryHeads, chunks + rows)) {
      int[] common = IntStream.range(0, chunks).toArray();
      for (int i = 0; i < rows; i++) {
        int[] own = Arrays.copyOf(common, chunks + 1);
        own[chunks] = chunks + i;
        c.add(own, chunks * chunkTokens + i % chunkTokens, 1);
      }
      verify(c, c.plan(true, 2));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "64, 3, 64, 0, 300",
    "64, 3, 64, 0, 17",
    "64, 3, 16, 101, 33",
    "128, 1, 48, 500, 111",
    "80, 2, 112, 0, 260",
  })
  void prompt(int headDim, int group, int chunkTokens, int first, int rows) {
    KvLayout layout = AttentionCase.layout(2, headDim, chunkTokens, DType.BF16);
    int chunks = Math.ceilDiv(first + rows, chunkTokens);
    try (AttentionCase c = new AttentionCase(first + rows, layout, 2 * group, chunks)) {
      c.add(IntStream.range(0, chunks).toArray(), first, rows);
      verify(c, c.plan(true, 2));
    }
  }

  private void verify(AttentionCase c, AttentionPlan plan) {
    c.write(tiles);
    int columns = c.queryHeads * c.layout.headDim();
    try (CpuTensor queries = c.queries(plan.rows);
        CpuTensor out = new CpuTensor(plan.rows, columns);
        CpuTensor exact = new CpuTensor(plan.rows, columns)) {
      out.segment().fill((byte) 0xff);
      pairs.attend(c.cache, 1, queries, c.queryHeads, c.scale, plan, out);
      tiles.attend(c.cache, 1, queries, c.queryHeads, c.scale, plan, exact);
      assertThat(out.segment().mismatch(exact.segment())).as("bf16 was used").isNotEqualTo(-1);
      double[][] expected = c.expected(1, queries);
      double sum = 0;
      float[] row = new float[columns];
      for (int r = 0; r < plan.rows; r++) {
        out.read(r, row, 0);
        for (int i = 0; i < columns; i++) {
          double error = Math.abs(row[i] - expected[r][i]);
          assertThat(error).as("row %d column %d", r, i).isLessThan(LARGEST);
          sum += error;
        }
      }
      assertThat(sum / plan.rows / columns).isLessThan(MEAN);
    }
  }
}
