package org.chunkllama.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.chunkllama.contract.Forest.Sequence;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.plan.AttentionPlanner;
import org.chunkllama.plan.PlanCosts;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.BackendOptions.Precision;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.Matrix;
import org.chunkllama.spi.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * {@link Backend#attention} over random forests, however the planner cuts them. Unwritten slots
 * hold NaN throughout.
 */
public abstract class AttentionContract extends BackendContract {
  /** Shares every run, however short, and cuts for more workers than there are. */
  private static final PlanCosts EAGER = new PlanCosts(16, 1000, 1, 0, 0, 64);

  /** For the test of a backend. */
  protected AttentionContract() {}

  private static double tolerance(DType type) {
    return switch (type) {
      case F32 -> 2e-5;
      case F16, F8, I8 -> 4e-3; // room for kernels that round queries and weights, too
      case BF16 -> 2.5e-2;
      default -> throw new IllegalArgumentException(type.toString());
    };
  }

  private Backend backend(int threads) {
    return backend(new BackendOptions(threads, Precision.FP32));
  }

  /** Plans that share, that share nothing, and that share and cut whatever can be. */
  static List<AttentionPlanner> planners(Backend backend, KvLayout kv, int heads) {
    int c = kv.chunkTokens();
    int units = backend.parallelism();
    return List.of(
        new AttentionPlanner(c, units, heads, kv.kvHeads(), true),
        new AttentionPlanner(c, units, heads, kv.kvHeads(), false),
        new AttentionPlanner(c, 9, heads, kv.kvHeads(), true, EAGER));
  }

  /** Attention of random queries is as expected, by every plan. */
  static void check(
      AttentionFixture fixture, Forest forest, KvLayout kv, int heads, SplittableRandom random) {
    check(fixture, forest, kv, heads, fixture.queries(random, forest.rows()), tolerance(kv.type()));
  }

  private static void check(
      AttentionFixture fixture,
      Forest forest,
      KvLayout kv,
      int heads,
      float[] queries,
      double tolerance) {
    double[] expected = fixture.expected(0, forest.sequences(), queries);
    for (AttentionPlanner planner : planners(fixture.backend, kv, heads)) {
      AttentionPlan plan = forest.plan(planner);
      float[] actual = fixture.attend(0, plan, queries);
      String what =
          "%s, %d query heads, %d segments, %d partial states, forest %s"
              .formatted(kv, heads, plan.segments, plan.partials, forest);
      Numbers.assertClose(what, actual, expected, tolerance);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "64,F32", "80,F32", "96,F32", "128,F32", "256,F32",
    "64,BF16", "80,BF16", "96,BF16", "128,BF16", "256,BF16",
    "64,F16", "80,F16", "96,F16", "128,F16", "256,F16",
    "64,F8", "80,F8", "96,F8", "128,F8", "256,F8",
    "64,I8", "80,I8", "96,I8", "128,I8", "256,I8"
  })
  void randomForests(int headDim, DType type) {
    if (isRefused(type)) {
      return;
    }
    SplittableRandom random = new SplittableRandom(headDim * 10 + type.blockBytes());
    for (int round = 0; round < (type.isEightBit() ? 4 : 8); round++) {
      int c = 16 * random.nextInt(1, round < 6 ? 5 : 9);
      KvLayout kv = new KvLayout(1, random.nextInt(1, 4), headDim, c, type);
      int heads = kv.kvHeads() * (1 + (round * 3 + headDim) % 8);
      int batch = round == 0 ? 40 : random.nextInt(1, 20);
      Forest forest = Forest.random(random, c, batch, round % 2 + 1, round % 2 == 1);
      Backend backend = backend(new int[] {0, 1, 3}[round % 3]);
      try (AttentionFixture fixture = new AttentionFixture(backend, kv, forest.chunks(), heads)) {
        fixture.fill(random, forest);
        check(fixture, forest, kv, heads, random);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
  void everyGroupSizeAndBatch(int group) {
    SplittableRandom random = new SplittableRandom(group);
    KvLayout kv = new KvLayout(1, 2, 64, 32, DType.F32);
    for (int batch : new int[] {1, 2, 3, 5, 8, 17, 33}) {
      int[] own = random.ints(batch, 1, 50).toArray();
      Forest forest = Forest.sharing(32, 3, own);
      try (AttentionFixture fixture =
          new AttentionFixture(backend(), kv, forest.chunks(), 2 * group)) {
        fixture.fill(random, forest);
        check(fixture, forest, kv, 2 * group, random);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {16, 32, 48, 64, 80, 96, 112, 128})
  void everyTailOfEveryChunkSize(int c) {
    SplittableRandom random = new SplittableRandom(c);
    KvLayout kv = new KvLayout(1, 1, 64, c, DType.F32);
    int[] own = new int[40];
    for (int i = 0; i < own.length; i++) {
      own[i] = 1 + i * (c + 5) / own.length;
    }
    Forest forest = Forest.sharing(c, 1, own);
    try (AttentionFixture fixture = new AttentionFixture(backend(), kv, forest.chunks(), 2)) {
      fixture.fill(random, forest);
      check(fixture, forest, kv, 2, random);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "BF16", "F16", "F8", "I8"})
  void slicesOfPrefillAttendToASharedPath(DType type) {
    if (isRefused(type)) {
      return;
    }
    SplittableRandom random = new SplittableRandom(11);
    int c = 32;
    KvLayout kv = new KvLayout(1, 3, 64, c, type);
    Forest shared = Forest.sharing(c, 5, 70, 3, 100, 1, 33);
    List<Sequence> sequences = new ArrayList<>();
    int[] rows = {60, 1, 100, 1, 33}; // aligned and not, whole suffix and part, beside decoding
    for (int i = 0; i < rows.length; i++) {
      Sequence s = shared.sequences().get(i);
      sequences.add(new Sequence(s.path(), s.end() - rows[i], rows[i]));
    }
    Forest forest = new Forest(c, shared.chunks(), sequences);
    try (AttentionFixture fixture = new AttentionFixture(backend(), kv, forest.chunks(), 9)) {
      fixture.fill(random, forest);
      check(fixture, forest, kv, 9, random);
    }
  }

  @Test
  void aWholePromptInOneSlice() {
    SplittableRandom random = new SplittableRandom(12);
    for (int tokens : new int[] {1, 2, 16, 17, 64, 300}) {
      KvLayout kv = new KvLayout(1, 2, 64, 16, DType.F32);
      Sequence decoding = Forest.sharing(16, 0, tokens).sequences().getFirst();
      Forest forest =
          new Forest(16, decoding.path().length, List.of(new Sequence(decoding.path(), 0, tokens)));
      try (AttentionFixture fixture = new AttentionFixture(backend(), kv, forest.chunks(), 6)) {
        fixture.fill(random, forest);
        check(fixture, forest, kv, 6, random);
      }
    }
  }

  @Test
  void aLongSequenceAlone() {
    SplittableRandom random = new SplittableRandom(13);
    for (int threads : new int[] {1, 2, 3}) {
      KvLayout kv = new KvLayout(1, 1, 128, 64, DType.F32);
      Forest forest = Forest.sharing(64, 0, 3001);
      try (AttentionFixture fixture =
          new AttentionFixture(backend(threads), kv, forest.chunks(), 1)) {
        fixture.fill(random, forest);
        check(fixture, forest, kv, 1, random);
      }
    }
  }

  @Test
  void decodingStepByStep() {
    SplittableRandom random = new SplittableRandom(14);
    int c = 16;
    KvLayout kv = new KvLayout(2, 2, 64, c, DType.F32);
    Forest start = Forest.sharing(c, 2, 1, 9, 16, 5);
    AttentionPlanner planner = new AttentionPlanner(c, 2, 4, 2, true, EAGER);
    int free = start.chunks();
    List<Sequence> sequences = new ArrayList<>(start.sequences());
    try (AttentionFixture fixture = new AttentionFixture(backend(), kv, free + 16, 4)) {
      fixture.fill(random, start);
      for (int step = 0; step < 45; step++) {
        for (int i = 0; i < sequences.size(); i++) {
          Sequence s = sequences.get(i);
          int[] path = s.path();
          if (s.end() % c == 0 && s.end() / c == path.length) {
            path = Arrays.copyOf(path, path.length + 1);
            path[path.length - 1] = free++;
          }
          sequences.set(i, new Sequence(path, s.end(), 1));
        }
        Forest forest = new Forest(c, free, sequences);
        fixture.fill(random, forest);
        float[] queries = fixture.queries(random, forest.rows());
        AttentionPlan plan = forest.plan(planner);
        for (int layer = 0; layer < 2; layer++) {
          Numbers.assertClose(
              "step %d, layer %d".formatted(step, layer),
              fixture.attend(layer, plan, queries),
              fixture.expected(layer, sequences, queries),
              tolerance(DType.F32));
        }
      }
    }
  }

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
      check(fixture, forest, kv, 4, queries, 2e-2);
      for (int i = 0; i < queries.length; i++) {
        queries[i] *= 1e-30f; // all scores alike
      }
      check(fixture, forest, kv, 4, queries, 2e-5);
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
      check(fixture, forest, kv, 6, queries, tolerance(type));
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
          "row 1 of 3", fixture.attend(0, plan, queries), expected, tolerance(DType.F32));
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
