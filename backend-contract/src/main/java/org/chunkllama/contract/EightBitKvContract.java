package org.chunkllama.contract;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvLayout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** {@link Backend#attention} over K and V of 8 bits, beyond what {@link AttentionContract} asks. */
public abstract class EightBitKvContract extends BackendContract {
  /** For the test of a backend. */
  protected EightBitKvContract() {}

  /** Groups of up to 16 go to other code than larger ones on some backends. */
  @ParameterizedTest
  @CsvSource({"F8,1,16", "F8,16,128", "I8,16,48", "F8,24,32", "I8,17,64"})
  void everySizeOfGroupOfEightBitKv(DType type, int group, int c) {
    if (isRefused(type)) {
      return;
    }
    SplittableRandom random = new SplittableRandom(group);
    KvLayout kv = new KvLayout(1, 2, 64, c, type);
    Forest forest = Forest.sharing(c, 3, 1, 9, 40, 16, 30);
    try (AttentionFixture fixture =
        new AttentionFixture(backend(), kv, forest.chunks(), 2 * group)) {
      fixture.fill(random, forest);
      AttentionChecks.check(fixture, forest, kv, 2 * group, random);
    }
  }

  /** What F8 and I8 lose on random numbers: far more than rounding, and no more than they must. */
  @ParameterizedTest
  @CsvSource({"F8,1e-2,6e-2", "I8,2e-3,1.6e-2"})
  void eightBitKvIsNearTheNumbersThatWereGiven(DType type, double least, double most) {
    if (isRefused(type)) {
      return;
    }
    SplittableRandom random = new SplittableRandom(18);
    KvLayout kv = new KvLayout(1, 2, 128, 64, type);
    Forest forest = Forest.sharing(64, 2, 5, 70, 33);
    try (AttentionFixture fixture = new AttentionFixture(backend(), kv, forest.chunks(), 4)) {
      fixture.fill(random, forest);
      float[] queries = fixture.queries(random, forest.rows());
      AttentionPlan plan = forest.plan(AttentionChecks.planners(backend(), kv, 4).getFirst());
      float[] actual = fixture.attend(0, plan, queries);
      fixture.expectAsGiven();
      double error =
          Numbers.relativeError(actual, fixture.expected(0, forest.sequences(), queries));
      assertThat(error).isBetween(least, most);
    }
  }

  /**
   * V of heads whose scales differ by thousands: weights and scales share 16 bits in some kernels.
   */
  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F8", "I8"})
  void valuesOfVeryDifferentSizes(DType type) {
    if (isRefused(type)) {
      return;
    }
    SplittableRandom random = new SplittableRandom(19);
    KvLayout kv = new KvLayout(1, 1, 64, 16, type);
    Forest forest = Forest.sharing(16, 6, 5, 90, 33);
    float[] sizes = {1e-6f, 1e6f, 1e-30f, 1e3f, 0, 1};
    try (AttentionFixture fixture = new AttentionFixture(backend(), kv, forest.chunks(), 2)) {
      fixture.fill(random, forest);
      int[] path = forest.sequences().getFirst().path();
      for (float size : sizes) {
        for (int i = 0; i < 6 * 16; i++) {
          float[] values = Numbers.gaussian(random, 2 * 64);
          for (int x = 64; x < 128; x++) {
            values[x] *= i < 40 ? size : size * 1e-3f;
          }
          fixture.write(0, path[i / 16], i % 16, values);
        }
        fixture.flush(0);
        float[] queries = fixture.queries(random, forest.rows());
        double[] expected = fixture.expected(0, forest.sequences(), queries);
        AttentionPlan plan = forest.plan(AttentionChecks.planners(backend(), kv, 2).get(2));
        float[] actual = fixture.attend(0, plan, queries);
        assertThat(Numbers.relativeError(actual, expected)).as("size " + size).isLessThan(2e-3);
      }
    }
  }

  /** A head that holds an infinity or a NaN is no number; others are not concerned. */
  @ParameterizedTest
  @CsvSource({"F8,NaN", "F8,Infinity", "I8,-Infinity", "I8,NaN"})
  void aHeadThatIsNotFiniteIsSeen(DType type, float bad) {
    if (isRefused(type)) {
      return;
    }
    SplittableRandom random = new SplittableRandom(20);
    KvLayout kv = new KvLayout(1, 2, 64, 16, type);
    Forest forest = Forest.sharing(16, 0, 9, 20);
    for (int which = 0; which < 2; which++) {
      try (AttentionFixture fixture = new AttentionFixture(backend(), kv, forest.chunks(), 4)) {
        fixture.fill(random, forest);
        float[] values = Numbers.gaussian(random, 4 * 64);
        values[which * 128 + 64 + 7] = bad; // of K or V, head 1
        fixture.write(0, forest.sequences().getFirst().path()[0], 3, values);
        fixture.flush(0);
        float[] queries = fixture.queries(random, 2);
        AttentionPlan plan = forest.plan(AttentionChecks.planners(backend(), kv, 4).getFirst());
        float[] actual = fixture.attend(0, plan, queries);
        for (int i = 0; i < actual.length; i++) {
          boolean seen = i < 4 * 64 && i % (4 * 64) >= 2 * 64; // row 0, query heads 2 and 3
          assertThat(Float.isNaN(actual[i])).as("value %d", i).isEqualTo(seen);
        }
      }
    }
  }
}
