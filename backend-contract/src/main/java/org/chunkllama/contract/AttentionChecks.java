package org.chunkllama.contract;

import java.util.List;
import java.util.SplittableRandom;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.plan.AttentionPlanner;
import org.chunkllama.plan.PlanCosts;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvLayout;

/** Attention over forests against what it must be, by the plans that a planner may make. */
final class AttentionChecks {
  /** Shares every run, however short, and cuts for more workers than there are. */
  static final PlanCosts EAGER = new PlanCosts(16, 1000, 1, 0, 0, 64);

  private AttentionChecks() {}

  /** How far outputs may be off, relative to the largest, over K and V of this type. */
  static double tolerance(DType type) {
    return switch (type) {
      case F32 -> 2e-5;
      case F16, F8, I8 -> 4e-3; // room for kernels that round queries and weights, too
      case BF16 -> 2.5e-2;
      default -> throw new IllegalArgumentException(type.toString());
    };
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

  /** The same of these queries, {@code [rows][heads * head dim]}. */
  static void check(
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
}
