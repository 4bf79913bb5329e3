package org.chunkllama.contract;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.chunkllama.model.LlamaModel;
import org.chunkllama.model.ModelConfig;
import org.chunkllama.model.StepPlan;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.plan.AttentionPlanner;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.BackendOptions.Precision;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.Tensor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Whatever a step was prepared as, rightly, wrongly or not at all, it computes what it is given:
 * the logits of a backend that is never told anything ahead.
 */
public abstract class PreparedStepContract extends BackendContract {
  private static final int CHUNK = 16;
  private static final int SHARED = 2 * CHUNK;
  private static final int OWN = 10; // chunks
  private static final int SEQUENCES = 12;
  private static final int ROWS = SHARED;
  private static final int STEPS = 300;
  private static final ModelConfig CONFIG = SmallLlama.config(300);

  /** For the test of a backend. */
  protected PreparedStepContract() {}

  /** A model with its cache and planner. */
  private static final class Side implements AutoCloseable {
    private final Backend backend;
    private final LlamaModel model;
    private final KvCache cache;
    private final AttentionPlanner planner;
    private final int[] outputRows = new int[ROWS];

    Side(Backend backend, DType type) {
      this.backend = backend;
      model = LlamaModel.random(backend, CONFIG, 1, ROWS, CONFIG.context(), (_, _) -> {});
      KvLayout layout = new KvLayout(CONFIG.layers(), CONFIG.kvHeads(), 64, CHUNK, type);
      cache = backend.kvCache(layout, SHARED / CHUNK + SEQUENCES * OWN);
      planner =
          new AttentionPlanner(
              CHUNK,
              backend.parallelism(),
              CONFIG.heads(),
              CONFIG.kvHeads(),
              true,
              backend.planCosts(layout, CONFIG.heads()));
      Arrays.setAll(outputRows, i -> i);
    }

    /** The plan of a step of one row for each of {@code chosen}. */
    StepPlan plan(int[] chosen, int[] positions, int[] tokens) {
      planner.begin();
      for (int s : chosen) {
        planner.add(path(s), positions[s], 1);
      }
      AttentionPlan plan = planner.finish();
      return new StepPlan(tokens, plan.rowPosition, outputRows, chosen.length, plan);
    }

    void prepare(int[] chosen, int[] positions) {
      model.prepare(plan(chosen, positions, new int[ROWS]), cache);
    }

    void computePrefix(int[] tokens) {
      planner.begin();
      planner.add(path(0), 0, SHARED);
      AttentionPlan plan = planner.finish();
      model.forward(new StepPlan(tokens, plan.rowPosition, outputRows, 0, plan), cache);
    }

    float[] logits(StepPlan plan) {
      Tensor logits = model.forward(plan, cache);
      int columns = CONFIG.vocabulary();
      float[] all = new float[plan.outputs() * columns];
      for (int r = 0; r < plan.outputs(); r++) {
        logits.read(r, all, r * columns);
      }
      return all;
    }

    @Override
    public void close() {
      cache.close();
      model.close();
      backend.close();
    }
  }

  private static int[] path(int sequence) {
    int[] path = new int[SHARED / CHUNK + OWN];
    for (int i = 0; i < path.length; i++) {
      path[i] = i < SHARED / CHUNK ? i : sequence * OWN + i;
    }
    return path;
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "F16"})
  void aStepComputesWhatItIsGiven(DType type) {
    BackendOptions options = new BackendOptions(0, Precision.FP32);
    SplittableRandom random = new SplittableRandom(5);
    int[] positions = new int[SEQUENCES];
    Arrays.setAll(positions, _ -> SHARED);
    try (Side told = new Side(open(options), type);
        Side untold = new Side(open(options), type)) {
      int[] prefix = random.ints(SHARED, 0, CONFIG.vocabulary()).toArray();
      told.computePrefix(prefix);
      untold.computePrefix(prefix);
      for (int step = 0; step < STEPS; step++) {
        int[] chosen = choose(random);
        guess(random, told, chosen, positions);
        int[] tokens = random.ints(ROWS, 0, CONFIG.vocabulary()).toArray();
        float[] actual = told.logits(told.plan(chosen, positions, tokens));
        float[] expected = untold.logits(untold.plan(chosen, positions, tokens));
        assertClose(actual, expected, step);
        for (int s : chosen) {
          positions[s] = positions[s] + 1 < SHARED + OWN * CHUNK ? positions[s] + 1 : SHARED;
        }
      }
    }
  }

  /** Often all, so that steps are alike and recorded. */
  private static int[] choose(SplittableRandom random) {
    int least = random.nextInt(4);
    int[] all = new int[SEQUENCES];
    Arrays.setAll(all, i -> i);
    return Arrays.stream(all).filter(s -> s == 0 || least > 0 || random.nextBoolean()).toArray();
  }

  private static void guess(SplittableRandom random, Side told, int[] chosen, int[] positions) {
    int[] others = positions.clone();
    switch (random.nextInt(6)) {
      case 0 -> {} // nothing
      case 1 -> told.prepare(Arrays.copyOf(chosen, Math.max(1, chosen.length - 1)), positions);
      case 2 -> {
        Arrays.setAll(others, s -> Math.max(SHARED, others[s] - 1 - random.nextInt(20)));
        told.prepare(chosen, others);
      }
      case 3 -> {
        told.prepare(chosen, positions);
        told.prepare(new int[] {random.nextInt(SEQUENCES)}, positions);
      }
      default -> told.prepare(chosen, positions);
    }
  }

  private static void assertClose(float[] actual, float[] expected, int step) {
    double error = 0;
    double size = 1e-3;
    for (int i = 0; i < expected.length; i++) {
      error = Math.max(error, Math.abs(actual[i] - expected[i]));
      size = Math.max(size, Math.abs(expected[i]));
      if (!Float.isFinite(actual[i])) {
        error = Double.POSITIVE_INFINITY;
      }
    }
    assertThat(error / size).as("step %d", step).isLessThan(2e-3);
  }
}
