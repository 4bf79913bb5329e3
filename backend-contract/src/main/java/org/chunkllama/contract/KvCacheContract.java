package org.chunkllama.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.SplittableRandom;
import org.chunkllama.contract.Forest.Sequence;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.plan.AttentionPlanner;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.EightBit;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@link KvCache}: what is stored comes back, rounded to nearest, and can be copied. */
public abstract class KvCacheContract extends BackendContract {
  /** For the test of a backend. */
  protected KvCacheContract() {}

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "BF16", "F16"})
  void valuesAreRoundedToNearest(DType type) {
    int d = 64;
    KvLayout kv = new KvLayout(1, 2, d, 16, type);
    SplittableRandom random = new SplittableRandom(1);
    try (AttentionFixture fixture = new AttentionFixture(backend(), kv, 40, 2)) {
      for (int chunk = 0; chunk < 40; chunk++) {
        float[] values = Numbers.gaussian(random, 4 * d);
        for (int i = 0; i < values.length; i++) {
          values[i] = awkward(random, values[i], type);
        }
        fixture.write(0, chunk, 0, values);
        fixture.flush(0);
        // One token has all the weight, so its V is the answer.
        List<Sequence> one = List.of(new Sequence(new int[] {chunk}, 0, 1));
        float[] queries = new float[2 * d];
        float[] actual = fixture.attend(0, plan(kv, 2, one), queries);
        double[] expected = fixture.expected(0, one, queries);
        for (int i = 0; i < actual.length; i++) {
          assertThat(actual[i]).as("V %s", values[2 * d + i]).isEqualTo((float) expected[i]);
        }
      }
    }
  }

  /** A neighbouring number of the type is farther away than what kernels may lose on the way. */
  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F8", "I8"})
  void headsAreRoundedToNearest(DType type) {
    if (isRefused(type)) {
      return;
    }
    int d = 64;
    KvLayout kv = new KvLayout(1, 2, d, 16, type);
    SplittableRandom random = new SplittableRandom(5);
    try (AttentionFixture fixture = new AttentionFixture(backend(), kv, 40, 2)) {
      for (int chunk = 0; chunk < 40; chunk++) {
        float[] values = Numbers.gaussian(random, 4 * d);
        for (int head = 0; head < 4; head++) {
          head(random, values, head * d, d, type);
        }
        fixture.write(0, chunk, 0, values);
        fixture.flush(0);
        List<Sequence> one = List.of(new Sequence(new int[] {chunk}, 0, 1));
        float[] queries = new float[2 * d];
        float[] actual = fixture.attend(0, plan(kv, 2, one), queries);
        double[] expected = fixture.expected(0, one, queries);
        for (int i = 0; i < actual.length; i++) {
          double slack = Math.abs(expected[i]) * 1e-3;
          assertThat((double) actual[i])
              .as("V %s", values[2 * d + i])
              .isBetween(expected[i] - slack, expected[i] + slack);
        }
      }
    }
  }

  /**
   * A head of any size: random, zero, or such that its scale is 2^n and values stand between two.
   */
  private static void head(SplittableRandom random, float[] values, int at, int d, DType type) {
    float size = (float) Math.pow(2, random.nextInt(-60, 60));
    int form = random.nextInt(4);
    for (int i = at; i < at + d; i++) {
      if (form == 0) {
        values[i] = 0;
      } else if (form == 1) {
        boolean f8 = type == DType.F8;
        float tie = f8 ? 8.5f + random.nextInt(8) : 0.5f + random.nextInt(120);
        values[i] = (f8 ? tie * (float) Math.pow(2, random.nextInt(-17, 5)) : tie) * size;
      } else {
        values[i] *= size;
      }
    }
    if (form == 1) {
      values[at] = EightBit.largest(type) * size;
    }
  }

  /** Numbers of all sizes, and some exactly between two that the type can hold. */
  private static float awkward(SplittableRandom random, float x, DType type) {
    float sized = x * (float) Math.pow(2, random.nextInt(-12, 12));
    if (type == DType.F32 || random.nextInt(3) > 0) {
      return sized;
    }
    int dropped = type == DType.BF16 ? 16 : 13;
    int bits = Float.floatToRawIntBits(sized);
    return Float.intBitsToFloat((bits >> dropped << dropped) | 1 << (dropped - 1));
  }

  private static AttentionPlan plan(KvLayout kv, int heads, List<Sequence> sequences) {
    AttentionPlanner planner = new AttentionPlanner(kv.chunkTokens(), 1, heads, kv.kvHeads(), true);
    return new Forest(kv.chunkTokens(), 1, sequences).plan(planner);
  }

  @Test
  void layersAndChunksAreApart() {
    KvLayout kv = new KvLayout(3, 2, 80, 32, DType.F32);
    SplittableRandom random = new SplittableRandom(2);
    Forest forest = Forest.sharing(32, 2, 7, 50, 33);
    try (AttentionFixture fixture = new AttentionFixture(backend(), kv, forest.chunks(), 4)) {
      fixture.fill(random, forest);
      float[] queries = fixture.queries(random, 3);
      AttentionPlan plan = plan(kv, 4, forest.sequences());
      for (int layer = 2; layer >= 0; layer--) {
        Numbers.assertClose(
            "layer " + layer,
            fixture.attend(layer, plan, queries),
            fixture.expected(layer, forest.sequences(), queries),
            2e-5);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "BF16", "F16", "F8", "I8"})
  void aCopyTakesTheFirstSlotsOfAllLayers(DType type) {
    if (isRefused(type)) {
      return;
    }
    int c = 32;
    KvLayout kv = new KvLayout(2, 3, 64, c, type);
    SplittableRandom random = new SplittableRandom(3);
    Forest forest = Forest.sharing(c, 1, c, c);
    int[] path = forest.sequences().getFirst().path();
    for (int slots : new int[] {1, 15, 16, 17, c}) {
      try (AttentionFixture fixture = new AttentionFixture(backend(), kv, 8, 3)) {
        fixture.fill(random, forest);
        fixture.cache.copy(path[1], 6, slots);
        fixture.copied(path[1], 6, slots);
        List<Sequence> copied = List.of(new Sequence(new int[] {path[0], 6}, c + slots - 1, 1));
        float[] queries = fixture.queries(random, 1);
        for (int layer = 0; layer < 2; layer++) {
          Numbers.assertClose(
              "layer %d after a copy of %d slots".formatted(layer, slots),
              fixture.attend(layer, plan(kv, 3, copied), queries),
              fixture.expected(layer, copied, queries),
              type == DType.F32 ? 2e-5 : 2.5e-2);
        }
      }
    }
  }

  @Test
  void aCopyLeavesTheRestAlone() {
    int c = 16;
    KvLayout kv = new KvLayout(1, 1, 64, c, DType.F32);
    SplittableRandom random = new SplittableRandom(4);
    Forest forest = Forest.sharing(c, 0, c, c, c);
    try (AttentionFixture fixture = new AttentionFixture(backend(), kv, 3, 2)) {
      fixture.fill(random, forest);
      fixture.cache.copy(0, 1, 5);
      fixture.copied(0, 1, 5);
      fixture.cache.copy(2, 2, 9); // onto itself
      fixture.cache.copy(0, 2, 0);
      float[] queries = fixture.queries(random, 3);
      Numbers.assertClose(
          "after the copies",
          fixture.attend(0, plan(kv, 2, forest.sequences()), queries),
          fixture.expected(0, forest.sequences(), queries),
          2e-5);
    }
  }

  @Test
  void copiesOutsideTheCacheAreRefused() {
    KvLayout kv = new KvLayout(1, 1, 64, 16, DType.F32);
    try (KvCache cache = backend().kvCache(kv, 3)) {
      assertThat(cache.chunks()).isEqualTo(3);
      assertThat(cache.layout()).isEqualTo(kv);
      for (int[] bad : new int[][] {{3, 0, 1}, {0, 3, 1}, {-1, 0, 1}, {0, 1, 17}, {0, 1, -1}}) {
        assertThatThrownBy(() -> cache.copy(bad[0], bad[1], bad[2]))
            .isInstanceOf(IllegalArgumentException.class);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      ints = {200, 3 * 64, 5 * 64}) // not heads of 64, too few, one more than KV heads share
  void rowsOfOtherHeadsAreRefused(int columns) {
    KvLayout kv = new KvLayout(1, 2, 64, 16, DType.F32);
    AttentionPlanner planner = new AttentionPlanner(16, 1, 2, 2, true);
    planner.begin();
    planner.add(new int[] {0}, 0, 1);
    AttentionPlan plan = planner.finish();
    try (KvCache cache = backend().kvCache(kv, 1);
        Tensor qkv = backend().tensor(1, columns)) {
      assertThatThrownBy(() -> backend().append(cache, 0, qkv, plan))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("columns");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1})
  void aCacheWithoutChunksIsRefused(int chunks) {
    KvLayout kv = new KvLayout(1, 1, 64, 16, DType.F32);
    assertThatThrownBy(() -> backend().kvCache(kv, chunks))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
