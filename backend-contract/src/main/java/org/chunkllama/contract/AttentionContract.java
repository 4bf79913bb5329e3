package org.chunkllama.contract;

import java.util.ArrayList;
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
  /** For the test of a backend. */
  protected AttentionContract() {}

  private Backend backend(int threads) {
    return backend(new BackendOptions(threads, Precision.FP32));
  }

  @ParameterizedTest
  @CsvSource({
    "64,F32", "80,F32", "96,F32", "128,F32", "256,F32",
    "64,BF16", "80,BF16", "96,BF16", "128,BF16", "256,BF16",
    "64,F16", "80,F16", "96,F16", "128,F16", "256,F16",
    "64,F8", "80,F8", "96,F8", "128,F8", "256,F8",
    "64,I8", "80,I8", "96,I8", "128,I8", "256,I8",
    "6,F16", "66,BF16", "130,F16", "66,F8" // no multiples of 4
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
        AttentionChecks.check(fixture, forest, kv, heads, random);
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
        AttentionChecks.check(fixture, forest, kv, 2 * group, random);
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
      AttentionChecks.check(fixture, forest, kv, 2, random);
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
      AttentionChecks.check(fixture, forest, kv, 9, random);
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
        AttentionChecks.check(fixture, forest, kv, 6, random);
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
        AttentionChecks.check(fixture, forest, kv, 1, random);
      }
    }
  }

  @Test
  void decodingStepByStep() {
    SplittableRandom random = new SplittableRandom(14);
    int c = 16;
    KvLayout kv = new KvLayout(2, 2, 64, c, DType.F32);
    Forest start = Forest.sharing(c, 2, 1, 9, 16, 5);
    AttentionPlanner planner = new AttentionPlanner(c, 2, 4, 2, true, AttentionChecks.EAGER);
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
              AttentionChecks.tolerance(DType.F32));
        }
      }
    }
  }
}
