package org.chunkllama.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.chunkllama.contract.Forest.Sequence;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.plan.AttentionPlanner;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.BackendOptions.Precision;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.Matrix;
import org.chunkllama.spi.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * {@link Backend#attention} where scores, plans or arguments are out of the ordinary, and what
 * others read of its output. Unwritten slots hold NaN throughout.
 */
public abstract class AttentionEdgeContract extends BackendContract {
  /** For the test of a backend. */
  protected AttentionEdgeContract() {}

  @Test
  void extremeScoresLeaveOneWinner() {
    SplittableRandom random = new SplittableRandom(15);
    KvLayout kv = new KvLayout(1, 2, 64, 32, DType.F32);
    Forest forest = Forest.sharing(32, 3, 5, 40, 17, 64);
    try (AttentionFixture fixture = new AttentionFixture(backend(), kv, forest.chunks(), 4)) {
      fixture.fill(random, forest);
      float[] queries = fixture.queries(random, forest.rows());
      for (int i = 0; i < queries.length; i++) {
        queries[i] *= 3000; // scores of thousands, both signs
      }
      AttentionChecks.check(fixture, forest, kv, 4, queries, 2e-2);
      for (int i = 0; i < queries.length; i++) {
        queries[i] *= 1e-30f; // all scores alike
      }
      AttentionChecks.check(fixture, forest, kv, 4, queries, 2e-5);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "BF16"}) // F16 may keep infinities as its largest value
  void scoresOfMinusInfinityHaveNoWeight(DType type) {
    SplittableRandom random = new SplittableRandom(16);
    int d = 64;
    KvLayout kv = new KvLayout(1, 2, d, 16, type);
    Forest forest = Forest.sharing(16, 2, 5, 20, 17, 3);
    try (AttentionFixture fixture = new AttentionFixture(backend(), kv, forest.chunks(), 6)) {
      fixture.fill(random, forest);
      List<Sequence> sequences = forest.sequences();
      int[] shared = Arrays.copyOf(sequences.getFirst().path(), 2);
      for (int slot = 0; slot < 16; slot++) { // a whole segment without weight
        fixture.write(0, shared[0], slot, withoutWeight(random, kv));
        fixture.write(0, shared[1], slot, withoutWeight(random, kv));
      }
      for (int slot = 0; slot < 5; slot++) { // and a whole sequence
        fixture.write(0, sequences.getFirst().path()[2], slot, withoutWeight(random, kv));
      }
      fixture.write(0, sequences.get(1).path()[2], 0, withoutWeight(random, kv));
      fixture.flush(0);
      float[] queries = fixture.queries(random, forest.rows());
      for (int i = 0; i < queries.length; i += d) {
        queries[i] = 1; // meets the -inf of the keys
      }
      AttentionChecks.check(fixture, forest, kv, 6, queries, AttentionChecks.tolerance(type));
    }
  }

  /** K whose score is -infinity with a query that begins with a positive number. */
  private static float[] withoutWeight(SplittableRandom random, KvLayout kv) {
    float[] values = Numbers.gaussian(random, 2 * kv.kvHeads() * kv.headDim());
    for (int head = 0; head < kv.kvHeads(); head++) {
      values[head * kv.headDim()] = Float.NEGATIVE_INFINITY;
    }
    return values;
  }

  @Test
  void rowsThatNoSegmentCoversGiveZeros() {
    SplittableRandom random = new SplittableRandom(17);
    KvLayout kv = new KvLayout(1, 2, 64, 16, DType.F32);
    Forest forest = Forest.sharing(16, 0, 9, 20, 30);
    AttentionPlan plan = forest.plan(new AttentionPlanner(16, 1, 4, 2, true));
    int kept = -1;
    for (int i = 0; i < plan.segments; i++) {
      kept = plan.segmentFirstRow[i] == 1 ? i : kept;
    }
    for (int[] array :
        new int[][] {
          plan.segmentFirstRow, plan.segmentRows, plan.segmentFirstToken,
          plan.segmentTokens, plan.segmentChunkStart, plan.segmentPartial
        }) {
      array[0] = array[kept];
    }
    plan.segments = 1;
    plan.version++;
    try (AttentionFixture fixture = new AttentionFixture(backend(), kv, forest.chunks(), 4)) {
      fixture.fill(random, forest);
      float[] queries = fixture.queries(random, 3);
      double[] expected = fixture.expected(0, forest.sequences(), queries);
      Arrays.fill(expected, 0, expected.length / 3, 0);
      Arrays.fill(expected, expected.length / 3 * 2, expected.length, 0);
      Numbers.assertClose(
          "row 1 of 3",
          fixture.attend(0, plan, queries),
          expected,
          AttentionChecks.tolerance(DType.F32));
    }
  }

  /** A backend may keep a product's input as the product reads it: others must not notice. */
  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F16", "BF16"})
  void whatFeedsAProductCanBeRead(DType type) {
    SplittableRandom random = new SplittableRandom(18);
    KvLayout kv = new KvLayout(1, 2, 64, 32, type);
    Forest all = Forest.sharing(32, 3, 5, 40, 17, 64, 20);
    Forest two = new Forest(32, all.chunks(), all.sequences().subList(0, 2));
    int width = 4 * 64;
    Backend rounding = backend(new BackendOptions(0, Precision.AUTO));
    try (AttentionFixture fixture = new AttentionFixture(rounding, kv, all.chunks(), 4);
        Tensor out = rounding.tensor(8, width);
        Tensor product = rounding.tensor(8, 16);
        Tensor gathered = rounding.tensor(2, width)) {
      fixture.fill(random, all);
      Matrix w = rounding.matrix(List.of(Weights.random(random, DType.F32, 16, width, true)));
      float[] other = Numbers.gaussian(random, width);
      out.write(7, other, 0);
      rounding.linear(w, null, out, 8, product, false);
      float[] queries = fixture.queries(random, 5);
      double[] expected = fixture.expected(0, all.sequences(), queries);
      fixture.attend(0, all.plan(new AttentionPlanner(32, 1, 4, 2, true)), queries, out);
      rounding.linear(w, null, out, 5, product, false);
      rounding.gather(out, new int[] {4, 2}, 2, gathered);
      Numbers.assertClose("gathered", row(gathered, 0), slice(expected, 4, width), 2.5e-2);
      Numbers.assertClose("gathered", row(gathered, 1), slice(expected, 2, width), 2.5e-2);

      float[] fresh = fixture.queries(random, 2);
      double[] changed = fixture.expected(0, two.sequences(), fresh);
      fixture.attend(0, all.plan(new AttentionPlanner(32, 1, 4, 2, true)), queries, out);
      fixture.attend(0, two.plan(new AttentionPlanner(32, 1, 4, 2, true)), fresh, out);
      for (int r = 0; r < 5; r++) {
        double[] right = r < 2 ? slice(changed, r, width) : slice(expected, r, width);
        Numbers.assertClose("row " + r, row(out, r), right, 2.5e-2);
      }
      assertThat(row(out, 7)).isEqualTo(other);
    }
  }

  private static float[] row(Tensor tensor, int row) {
    float[] values = new float[tensor.columns()];
    tensor.read(row, values, 0);
    return values;
  }

  private static double[] slice(double[] rows, int row, int width) {
    return Arrays.copyOfRange(rows, row * width, (row + 1) * width);
  }

  @Test
  void anEmptyPlanDoesNothing() {
    KvLayout kv = new KvLayout(1, 2, 64, 16, DType.F32);
    AttentionPlanner planner = new AttentionPlanner(16, 2, 4, 2, true);
    planner.begin();
    AttentionPlan plan = planner.finish();
    try (AttentionFixture fixture = new AttentionFixture(backend(), kv, 1, 4)) {
      assertThat(fixture.attend(0, plan, new float[0])).isEmpty();
    }
  }

  @Test
  void mismatchedShapesAreRefused() {
    KvLayout kv = new KvLayout(1, 2, 64, 16, DType.F32);
    Backend backend = backend();
    AttentionPlan plan = Forest.sharing(16, 0, 9).plan(new AttentionPlanner(16, 1, 4, 2, true));
    AttentionPlan other = Forest.sharing(32, 0, 9).plan(new AttentionPlanner(32, 1, 4, 2, true));
    try (AttentionFixture fixture = new AttentionFixture(backend, kv, 1, 4);
        Tensor qkv = backend.tensor(1, 8 * 64);
        Tensor narrow = backend.tensor(1, 7 * 64);
        Tensor out = backend.tensor(1, 4 * 64)) {
      refused("layer 1 of 1", () -> backend.attention(fixture.cache, 1, qkv, 4, 1, plan, out));
      refused("448 columns", () -> backend.attention(fixture.cache, 0, narrow, 4, 1, plan, out));
      refused("448 columns", () -> backend.attention(fixture.cache, 0, qkv, 4, 1, plan, narrow));
      refused("3 query heads", () -> backend.attention(fixture.cache, 0, qkv, 3, 1, plan, out));
      refused("32 tokens", () -> backend.attention(fixture.cache, 0, qkv, 4, 1, other, out));
      refused("layer 1 of 1", () -> backend.append(fixture.cache, 1, qkv, plan));
      refused("32 tokens", () -> backend.append(fixture.cache, 0, qkv, other));
    }
  }

  private static void refused(String why, Runnable call) {
    assertThatThrownBy(call::run)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(why);
  }
}
