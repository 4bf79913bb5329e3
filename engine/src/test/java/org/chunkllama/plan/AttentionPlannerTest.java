package org.chunkllama.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.chunkllama.plan.PlanChecker.Rows;
import org.junit.jupiter.api.Test;

class AttentionPlannerTest {
  private static AttentionPlan plan(AttentionPlanner planner, List<Rows> batch) {
    planner.begin();
    for (Rows rows : batch) {
      planner.add(rows.chunkIds(), rows.firstPosition(), rows.tokens());
    }
    return planner.finish();
  }

  /** Sequences that share {@code sharedChunks} full chunks and have {@code ownTokens} each. */
  private static List<Rows> sharing(int sequences, int c, int sharedChunks, int ownTokens) {
    List<Rows> batch = new ArrayList<>();
    int own = Math.ceilDiv(ownTokens, c);
    for (int s = 0; s < sequences; s++) {
      int first = sharedChunks + s * own;
      int[] path =
          IntStream.concat(IntStream.range(0, sharedChunks), IntStream.range(first, first + own))
              .toArray();
      batch.add(new Rows(path, sharedChunks * c + ownTokens - 1, 1));
    }
    return batch;
  }

  @Test
  void everyTokenOnceOverRandomForests() {
    SplittableRandom random = new SplittableRandom(1);
    int shared = 0;
    for (int round = 0; round < 3000; round++) {
      int c = 16 << random.nextInt(4);
      int kvHeads = random.nextInt(1, 9);
      int heads = kvHeads * random.nextInt(1, 9);
      int workers = random.nextInt(1, 20);
      RandomForest forest = new RandomForest(round, c, round % 2 == 0);
      List<Rows> batch = forest.next(1 + round % 40, 6);
      boolean chunkFirst = random.nextInt(4) > 0;
      AttentionPlanner planner = new AttentionPlanner(c, workers, heads, kvHeads, chunkFirst);
      AttentionPlan plan = plan(planner, batch);
      PlanChecker.check(plan, batch);
      shared += spansSequences(plan, batch);
      if (!chunkFirst) {
        assertThat(spansSequences(plan, batch)).isZero();
      }
    }
    assertThat(shared).as("the forests do share").isGreaterThan(1000);
  }

  private static int spansSequences(AttentionPlan plan, List<Rows> batch) {
    int[] sequence = new int[plan.rows];
    int row = 0;
    for (int s = 0; s < batch.size(); s++) {
      for (int i = 0; i < batch.get(s).tokens(); i++) {
        sequence[row++] = s;
      }
    }
    int spanning = 0;
    for (int i = 0; i < plan.segments; i++) {
      int first = plan.segmentFirstRow[i];
      spanning += sequence[first] == sequence[first + plan.segmentRows[i] - 1] ? 0 : 1;
    }
    return spanning;
  }

  @Test
  void costsDecideWhatIsShared() {
    SplittableRandom random = new SplittableRandom(5);
    for (int round = 0; round < 500; round++) {
      PlanCosts costs =
          new PlanCosts(
              random.nextDouble(40),
              random.nextDouble(40),
              random.nextDouble(0.1, 4),
              random.nextDouble(100),
              random.nextDouble(1000),
              1 << random.nextInt(12));
      List<Rows> batch = new RandomForest(round, 16, true).next(40, 6);
      AttentionPlanner planner = new AttentionPlanner(16, 1 + round % 5, 6, 3, true, costs);
      PlanChecker.check(plan(planner, batch), batch);
    }
  }

  @Test
  void stepsThatOnlyAdvanceKeepTheStructure() {
    int c = 32;
    SplittableRandom random = new SplittableRandom(2);
    RandomForest forest = new RandomForest(7, c, false);
    AttentionPlanner planner = new AttentionPlanner(c, 2, 6, 3, true);
    List<Rows> batch = forest.next(20, 3);
    int kept = 0;
    for (int step = 0; step < 5000; step++) {
      if (random.nextInt(200) == 0) {
        batch = forest.next(20, 3);
      }
      long before = planner(planner, batch).version;
      String now = PlanChecker.describe(plan(planner, batch));
      PlanChecker.check(planner(planner, batch), batch);
      assertThat(planner(planner, batch).version).isEqualTo(before);
      long revision = planner(planner, batch).revision;
      assertThat(planner(planner, batch).revision).as("planned again").isEqualTo(revision);
      List<Rows> advanced = advance(batch, c);
      boolean sameChunks = chunks(batch, c).equals(chunks(advanced, c));
      AttentionPlan plan = plan(planner, advanced);
      PlanChecker.check(plan, advanced);
      assertThat(plan.version == before).isEqualTo(sameChunks);
      assertThat(plan.revision).isNotEqualTo(revision);
      if (sameChunks) {
        kept++;
      } else {
        AttentionPlan fresh = plan(new AttentionPlanner(c, 2, 6, 3, true), advanced);
        assertThat(PlanChecker.describe(plan)).isEqualTo(PlanChecker.describe(fresh));
      }
      assertThat(now).isNotEqualTo(PlanChecker.describe(plan));
      batch = advanced;
    }
    assertThat(kept).isBetween(1000, 4900);
  }

  private static AttentionPlan planner(AttentionPlanner planner, List<Rows> batch) {
    return plan(planner, batch);
  }

  private static List<Rows> advance(List<Rows> batch, int c) {
    List<Rows> advanced = new ArrayList<>();
    int fresh = 1_000_000 + batch.stream().mapToInt(Rows::end).max().orElseThrow() * batch.size();
    for (Rows rows : batch) {
      int position = rows.firstPosition() + 1;
      int[] ids = rows.chunkIds();
      if (position / c >= ids.length) {
        ids = Arrays.copyOf(ids, ids.length + 1);
        ids[ids.length - 1] = fresh + advanced.size();
      }
      advanced.add(new Rows(ids, position, 1));
    }
    return advanced;
  }

  private static List<Integer> chunks(List<Rows> batch, int c) {
    return batch.stream().map(rows -> (rows.end() - 1) / c).toList();
  }

  @Test
  void aChangedIdInTheMiddleOfAPathRebuilds() {
    AttentionPlanner planner = new AttentionPlanner(16, 2, 4, 4, true);
    int[] path = {1, 2, 3, 4};
    List<Rows> batch = List.of(new Rows(path, 60, 1));
    long version = plan(planner, batch).version;
    path[1] = 9; // copy on write gives a sequence another chunk in place
    AttentionPlan plan = plan(planner, batch);
    PlanChecker.check(plan, batch);
    assertThat(plan.version).isGreaterThan(version);
  }

  @Test
  void anAbandonedStepIsNoBaseForTheNext() {
    AttentionPlanner planner = new AttentionPlanner(16, 2, 4, 4, true);
    plan(planner, sharing(4, 16, 3, 5));
    List<Rows> other = sharing(3, 16, 5, 7);
    planner.begin();
    for (Rows rows : other) {
      planner.add(rows.chunkIds(), rows.firstPosition(), rows.tokens());
    }
    assertThatThrownBy(() -> planner.add(new int[1], 16, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("2 chunks of 16 tokens, 1 given");
    PlanChecker.check(plan(planner, other), other);
  }

  @Test
  void anEmptyStepIsAnEmptyPlan() {
    AttentionPlanner planner = new AttentionPlanner(16, 2, 4, 4, true);
    plan(planner, sharing(4, 16, 3, 5));
    AttentionPlan plan = plan(planner, List.of());
    assertThat(plan.rows).isZero();
    assertThat(plan.segments).isZero();
    PlanChecker.check(plan(planner, sharing(4, 16, 3, 5)), sharing(4, 16, 3, 5));
  }

  @Test
  void aSharedPromptIsOneSegmentAndTheRestOnePerRow() {
    List<Rows> batch = sharing(32, 64, 32, 40);
    AttentionPlan plan = plan(new AttentionPlanner(64, 2, 32, 32, true), batch);
    assertThat(plan.segments).isEqualTo(33);
    assertThat(plan.segmentRows[0]).as("longest first").isEqualTo(32);
    assertThat(plan.segmentTokens[0]).isEqualTo(2048);
    assertThat(plan.chunkIdCount).isEqualTo(32 + 32);
    assertThat(plan.partials).isEqualTo(64);
  }

  @Test
  void nothingSharedIsWrittenDirectly() {
    AttentionPlan plan = plan(new AttentionPlanner(64, 2, 32, 32, true), sharing(32, 64, 0, 500));
    assertThat(plan.segments).isEqualTo(32);
    assertThat(plan.partials).isZero();
  }

  @Test
  void oneLongSequenceKeepsAllWorkersBusy() {
    assertThat(cuts(2, 3)).as("3 heads on 2 cores: 6 units").isEqualTo(2);
    assertThat(cuts(2, 1)).isEqualTo(2);
    assertThat(cuts(2, 8)).as("already even").isEqualTo(1);
    assertThat(cuts(16, 8)).isEqualTo(2);
    assertThat(cuts(16, 3) * 3).as("about a round of 16").isBetween(15, 16 * 3);
    assertThat(cuts(1, 3)).isEqualTo(1);
  }

  private static int cuts(int workers, int kvHeads) {
    AttentionPlanner planner = new AttentionPlanner(64, workers, kvHeads * 3, kvHeads, true);
    return plan(planner, sharing(1, 64, 0, 64 * 48)).segments;
  }

  @Test
  void aShortSequenceIsNotCut() {
    AttentionPlanner planner = new AttentionPlanner(16, 2, 9, 3, true);
    assertThat(plan(planner, sharing(1, 16, 0, 30)).segments).isEqualTo(1);
  }

  @Test
  void aSliceOfPrefillIsCutIntoBlocksOfRowsWithoutPartialStates() {
    int[] path = IntStream.range(0, 40).toArray();
    List<Rows> batch = List.of(new Rows(path, 1024, 512));
    AttentionPlan plan = plan(new AttentionPlanner(64, 2, 9, 3, true), batch);
    PlanChecker.check(plan, batch);
    assertThat(plan.segments).isEqualTo(8);
    assertThat(plan.partials).isZero();
  }

  @Test
  void decodingRowsShareThePathThatASliceReads() {
    List<Rows> batch = new ArrayList<>(sharing(16, 64, 20, 10));
    int[] path = IntStream.concat(IntStream.range(0, 20), IntStream.range(100, 102)).toArray();
    batch.add(new Rows(path, 20 * 64, 100));
    AttentionPlan plan = plan(new AttentionPlanner(64, 2, 9, 3, true), batch);
    PlanChecker.check(plan, batch);
    assertThat(spansSequences(plan, batch)).isPositive();
  }

  @Test
  void aShortPrefixOfTwoRowsIsNotWorthPartialStates() {
    PlanCosts costs = new PlanCosts(16, 0.5, 1, 16, 60, 256);
    AttentionPlan plan =
        plan(new AttentionPlanner(16, 2, 8, 1, true, costs), sharing(2, 16, 1, 10));
    assertThat(plan.segments).isEqualTo(2);
    assertThat(plan.partials).isZero();
  }

  @Test
  void runsThatPayOneByOneMayLoseTogether() {
    List<Rows> batch = sharing(8, 16, 20, 10);
    int saved = 7 * 20 * 16; // tokens
    assertThat(isShared(batch, new StepCosts(1, 0, saved - 1, 1, 0, 0))).isTrue();
    assertThat(isShared(batch, new StepCosts(1, 0, saved, 1, 0, 0))).isFalse();
    assertThat(isShared(batch, new StepCosts(0, 1, saved - 1, 1, 0, 0))).isTrue();
    assertThat(isShared(batch, new StepCosts(0, 1, saved, 1, 0, 0))).isFalse();
    assertThat(isShared(batch, new StepCosts(1, 0, saved / 4.0 - 1, 4, 0, 0))).isTrue();
    assertThat(isShared(batch, new StepCosts(1, 0, saved / 4.0, 4, 0, 0))).isFalse();
    // a run of 8 rows and 8 of one, each row with two states of 3 query heads
    assertThat(isShared(batch, new StepCosts(1, 0, 0, 1, saved / 48.0 - 1, 0))).isTrue();
    assertThat(isShared(batch, new StepCosts(1, 0, 0, 1, saved / 48.0 + 1, 0))).isFalse();
    assertThat(isShared(batch, new StepCosts(1, 0, 0, 1, 0, saved / 9.0 - 1))).isTrue();
    assertThat(isShared(batch, new StepCosts(1, 0, 0, 1, 0, saved / 9.0 + 1))).isFalse();
  }

  private static boolean isShared(List<Rows> batch, StepCosts step) {
    PlanCosts costs = new PlanCosts(1, 1, 1, 0, 0, 256, step);
    AttentionPlan plan = plan(new AttentionPlanner(16, 1, 3, 1, true, costs), batch);
    PlanChecker.check(plan, batch);
    return spansSequences(plan, batch) > 0;
  }

  @Test
  void rowsOfASegmentAreBounded() {
    AttentionPlan plan = plan(new AttentionPlanner(16, 2, 1, 1, true), sharing(500, 16, 60, 10));
    for (int i = 0; i < plan.segments; i++) {
      assertThat(plan.segmentRows[i]).isLessThanOrEqualTo(128);
    }
    PlanChecker.check(plan, sharing(500, 16, 60, 10));
  }

  @Test
  void aDeepTreeDoesNotOverflowTheStack() {
    int depth = 4000; // a sequence leaves the trunk at every chunk
    List<Rows> batch = new ArrayList<>();
    for (int s = 0; s < depth; s++) {
      int[] path = IntStream.range(0, depth - s + 1).toArray();
      path[depth - s] = depth + s;
      batch.add(new Rows(path, (depth - s) * 16 + 3, 1));
    }
    AttentionPlan plan = plan(new AttentionPlanner(16, 2, 1, 1, true), batch);
    assertThat(plan.rows).isEqualTo(depth);
  }

  @Test
  void aStepThatOnlyAdvancesAllocatesNothing() throws Throwable {
    AttentionPlanner planner = new AttentionPlanner(64, 2, 9, 3, true);
    List<Rows> batch = sharing(32, 64, 32, 1);
    int[][] paths = batch.stream().map(Rows::chunkIds).toArray(int[][]::new);
    MethodHandle allocatedBytes = allocatedBytes();
    long least = Long.MAX_VALUE;
    for (int round = 0; round < 200; round++) {
      long before = (long) allocatedBytes.invokeExact();
      for (int position = 32 * 64; position < 33 * 64; position++) {
        planner.begin();
        for (int s = 0; s < paths.length; s++) { // no iterator of ours in the count
          planner.add(paths[s], position, 1);
        }
        planner.finish();
      }
      least = Math.min(least, (long) allocatedBytes.invokeExact() - before);
    }
    assertThat(least).isZero();
  }

  /** By name, because the engine's module does not read jdk.management. */
  private static MethodHandle allocatedBytes() throws ReflectiveOperationException {
    Object bean =
        Class.forName("java.lang.management.ManagementFactory")
            .getMethod("getThreadMXBean")
            .invoke(null);
    return MethodHandles.publicLookup()
        .findVirtual(
            Class.forName("com.sun.management.ThreadMXBean"),
            "getCurrentThreadAllocatedBytes",
            MethodType.methodType(long.class))
        .bindTo(bean);
  }

  @Test
  void badArguments() {
    assertThatThrownBy(() -> new AttentionPlanner(16, 2, 7, 2, true))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("multiple of kvHeads");
    assertThatThrownBy(() -> new AttentionPlanner(16, 0, 2, 2, true))
        .isInstanceOf(IllegalArgumentException.class);
    AttentionPlanner planner = new AttentionPlanner(16, 2, 2, 2, true);
    assertThatThrownBy(() -> planner.add(new int[1], 0, 1))
        .isInstanceOf(IllegalStateException.class);
    planner.begin();
    assertThatThrownBy(() -> planner.add(new int[1], -1, 1))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> planner.add(new int[1], 0, 0))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
