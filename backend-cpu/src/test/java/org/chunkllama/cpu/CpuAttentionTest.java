package org.chunkllama.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class CpuAttentionTest {
  private static final double TOLERANCE = 1e-5;

  private final Workers workers = new Workers(2);
  private final CpuAttention attention = new CpuAttention(workers, null);

  @AfterEach
  void close() {
    attention.close();
    workers.close();
  }

  @ParameterizedTest
  @CsvSource({
    "64, 3, 3, 64, F32", "64, 1, 9, 64, BF16", "64, 3, 9, 64, F16", "80, 2, 2, 48, F32",
    "80, 1, 5, 16, BF16", "96, 2, 8, 32, F16", "96, 1, 1, 112, F32", "128, 2, 8, 64, F32",
    "128, 1, 7, 128, BF16", "128, 2, 2, 80, F16", "256, 1, 16, 16, F32", "256, 1, 4, 128, BF16",
    "8, 4, 8, 16, F32", "20, 1, 2, 32, BF16", "2, 1, 130, 16, F16",
  })
  void shapes(int headDim, int kvHeads, int queryHeads, int chunkTokens, DType type) {
    KvLayout layout = AttentionCase.layout(kvHeads, headDim, chunkTokens, type);
    for (boolean chunkFirst : new boolean[] {true, false}) {
      try (AttentionCase c = new AttentionCase(headDim, layout, queryHeads, 32)) {
        tree(c);
        verify(c, c.plan(chunkFirst, 2));
      }
    }
  }

  /** Two roots, ragged depths, a slice of prefill above shared chunks, a fork nobody wrote to. */
  private static void tree(AttentionCase c) {
    int t = c.layout.chunkTokens();
    c.add(new int[] {0, 1, 2, 3, 4}, 4 * t + 3, 1);
    c.add(new int[] {0, 1, 2, 3, 5}, 5 * t - 1, 1);
    c.add(new int[] {0, 1, 2, 3, 5, 6}, 5 * t, 1);
    c.add(new int[] {0, 1, 2, 3, 7}, 4 * t, 1);
    c.add(new int[] {0, 1, 2, 8, 9}, 3 * t - 1, t + 5);
    c.add(new int[] {10}, 0, 1);
    c.add(new int[] {11, 12}, t - 1, 1);
    c.add(new int[] {11, 12}, t + 1, 1);
    c.add(new int[] {11, 13, 14}, 0, 2 * t + 7);
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "BF16", "F16"})
  void randomForests(DType type) {
    SplittableRandom random = new SplittableRandom(7);
    for (int round = 0; round < 12; round++) {
      int c = 16 * random.nextInt(1, 5);
      int kvHeads = random.nextInt(1, 4);
      KvLayout layout = AttentionCase.layout(kvHeads, 16 * random.nextInt(1, 9), c, type);
      try (AttentionCase forest =
          new AttentionCase(round, layout, kvHeads * random.nextInt(1, 6), 256)) {
        grow(forest, random);
        verify(forest, forest.plan(random.nextInt(4) > 0, random.nextInt(1, 9)));
      }
    }
  }

  /** Sequences that leave a common path at random depths. */
  private static void grow(AttentionCase forest, SplittableRandom random) {
    int c = forest.layout.chunkTokens();
    int next = 0;
    int[] path = {};
    int sequences = random.nextInt(1, 25);
    for (int s = 0; s < sequences; s++) {
      int keep = random.nextInt(path.length + 1);
      int length = keep + random.nextInt(1, 6);
      int from = next;
      path =
          IntStream.concat(
                  Arrays.stream(path, 0, keep), IntStream.range(from, from + length - keep))
              .toArray();
      next += length - keep;
      int end = (length - 1) * c + random.nextInt(1, c + 1);
      int rows = random.nextInt(3) == 0 ? random.nextInt(1, Math.min(end - keep * c, 100) + 1) : 1;
      forest.add(path, end - rows, rows);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 64, 96, 97, 200})
  void rowsOfOneSegment(int rows) {
    KvLayout layout = AttentionCase.layout(1, 64, 64, DType.F32);
    try (AttentionCase c = new AttentionCase(rows, layout, 1, 3)) {
      for (int i = 0; i < rows; i++) {
        c.add(new int[] {0, 1, 2}, 2 * 64 + i % 64, 1);
      }
      verify(c, oneSegment(c, rows, 2 * 64 + Math.min(rows, 64)));
    }
  }

  /** All rows and tokens in one segment, which writes outputs itself. */
  private static AttentionPlan oneSegment(AttentionCase c, int rows, int tokens) {
    AttentionPlan plan = c.plan(false, 1);
    plan.segments = 1;
    plan.segmentFirstRow[0] = 0;
    plan.segmentRows[0] = rows;
    plan.segmentFirstToken[0] = 0;
    plan.segmentTokens[0] = tokens;
    plan.segmentChunkStart[0] = 0;
    plan.segmentPartial[0] = -1;
    plan.partials = 0;
    Arrays.fill(plan.rowPartialStart, 0, rows + 1, 0);
    return plan;
  }

  @Test
  void prefillInSlices() {
    KvLayout layout = AttentionCase.layout(2, 64, 64, DType.F32);
    try (AttentionCase c = new AttentionCase(3, layout, 6, 8)) {
      c.add(IntStream.range(0, 8).toArray(), 100, 300);
      verify(c, c.plan(true, 2));
    }
  }

  @Test
  void rowsThatNoSegmentCoversAreZero() {
    KvLayout layout = AttentionCase.layout(1, 16, 16, DType.F32);
    try (AttentionCase c = new AttentionCase(4, layout, 2, 1);
        CpuTensor queries = c.queries(3);
        CpuTensor out = new CpuTensor(3, 32)) {
      out.segment().fill((byte) 0xff);
      AttentionPlan plan = new AttentionPlan(16);
      plan.rows = 3;
      attention.attend(c.cache, 0, queries, 2, 1, plan, out);
      for (float[] row : rows(out, 3)) {
        assertThat(row).containsOnly(0);
      }
    }
  }

  @Test
  void largeScoresNeitherOverflowNorVanish() {
    KvLayout layout = AttentionCase.layout(1, 256, 16, DType.F32);
    try (AttentionCase c = new AttentionCase(5, layout, 1, 12);
        CpuTensor queries = c.queries(1);
        CpuTensor out = new CpuTensor(1, 256)) {
      c.add(IntStream.range(0, 12).toArray(), 12 * 16 - 1, 1);
      c.write(attention);
      // Scores of several thousand: all weight is on the best token.
      attention.attend(c.cache, 0, queries, 1, 100, c.plan(false, 1), out);
      assertThat(rows(out, 1)[0]).doesNotContain(Float.NaN).contains(rows(out, 1)[0][0]);
      for (float x : rows(out, 1)[0]) {
        assertThat(x * 32).isCloseTo(Math.round(x * 32), within(1e-4f));
      }
    }
  }

  @Test
  void copiesOfPartlyFilledChunks() {
    for (DType type : new DType[] {DType.F32, DType.BF16, DType.F16}) {
      KvLayout layout = AttentionCase.layout(2, 64, 64, type);
      try (AttentionCase c = new AttentionCase(6, layout, 4, 4);
          CpuTensor queries = c.queries(1);
          CpuTensor out = new CpuTensor(1, 256)) {
        c.add(new int[] {0, 1}, 64 + 36, 1);
        c.write(attention);
        double[][] expected = c.expected(1, queries);
        c.cache.copy(1, 3, 37);
        c.cache.copy(0, 2, 64);
        c.sequences.clear();
        c.add(new int[] {2, 3}, 64 + 36, 1);
        attention.attend(c.cache, 1, queries, 4, c.scale, c.plan(true, 2), out);
        compare(rows(out, 1), expected);
      }
    }
  }

  @Test
  void aPlanOfChunksThatDoNotExistIsRefused() {
    KvLayout layout = AttentionCase.layout(2, 64, 64, DType.F32);
    try (AttentionCase c = new AttentionCase(8, layout, 4, 2);
        CpuTensor queries = c.queries(1);
        CpuTensor out = new CpuTensor(1, 256)) {
      c.add(new int[] {0}, 5, 1);
      AttentionPlan plan = c.plan(true, 1);
      plan.chunkIds[0] = 2;
      assertThatThrownBy(() -> attention.attend(c.cache, 0, queries, 4, 1, plan, out))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("chunk 2 is not in [0, 2)");
    }
  }

  @Test
  void closedCacheIsRefused() {
    KvLayout layout = AttentionCase.layout(1, 64, 64, DType.F32);
    try (AttentionCase c = new AttentionCase(9, layout, 1, 1);
        CpuTensor queries = c.queries(1);
        CpuTensor out = new CpuTensor(1, 64)) {
      c.add(new int[] {0}, 5, 1);
      AttentionPlan plan = c.plan(true, 1);
      c.cache.close();
      assertThatThrownBy(() -> attention.attend(c.cache, 0, queries, 1, 1, plan, out))
          .isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void headDimsBeyondTheLimitAreRefused() {
    KvLayout layout = AttentionCase.layout(1, 258, 64, DType.F32);
    assertThatThrownBy(() -> new CpuKvCache(layout, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("head dim 258 is not supported by the cpu backend, at most 256 is");
  }

  private void verify(AttentionCase c, AttentionPlan plan) {
    c.write(attention);
    for (int layer = 0; layer < c.layout.layers(); layer++) {
      try (CpuTensor queries = c.queries(plan.rows);
          CpuTensor out = new CpuTensor(plan.rows, c.queryHeads * c.layout.headDim())) {
        out.segment().fill((byte) 0xff);
        attention.attend(c.cache, layer, queries, c.queryHeads, c.scale, plan, out);
        compare(rows(out, plan.rows), c.expected(layer, queries));
      }
    }
  }

  private static void compare(float[][] actual, double[][] expected) {
    assertThat(actual).hasNumberOfRows(expected.length);
    for (int row = 0; row < expected.length; row++) {
      for (int i = 0; i < expected[row].length; i++) {
        if (!(Math.abs(actual[row][i] - expected[row][i]) <= TOLERANCE)) {
          assertThat((double) actual[row][i])
              .as("row %d column %d", row, i)
              .isCloseTo(expected[row][i], within(TOLERANCE));
        }
      }
    }
  }

  private static float[][] rows(CpuTensor tensor, int rows) {
    float[][] values = new float[rows][tensor.columns()];
    for (int row = 0; row < rows; row++) {
      tensor.read(row, values[row], 0);
    }
    return values;
  }
}
