package org.chunkllama.bench;

import java.util.Arrays;
import org.chunkllama.model.LlamaModel;
import org.chunkllama.model.ModelConfig;
import org.chunkllama.model.StepPlan;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.plan.AttentionPlanner;
import org.chunkllama.sample.DrawBatch;
import org.chunkllama.sample.SamplerState;
import org.chunkllama.sample.SamplingOptions;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.IdleTimer;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.Tensor;

/**
 * A whole model's decode steps with random weights: a batch of sequences behind a common prefix,
 * greedy. Planning, forward pass and draws are in the times; scheduling and text are not.
 */
public final class DecodeBench implements AutoCloseable {
  /**
   * What is measured.
   *
   * @param config model
   * @param batch sequences
   * @param shared tokens of the common prefix, a multiple of chunkTokens
   * @param steps tokens that each sequence decodes
   * @param chunkTokens tokens per chunk
   * @param kvType of keys and values
   * @param sharing false: every sequence has its own copy of the prefix
   * @param sliceTokens prompt tokens computed in one step
   * @param ahead plans a step while the one before is computed, where the backend queues steps
   */
  public record Workload(
      ModelConfig config,
      int batch,
      int shared,
      int steps,
      int chunkTokens,
      DType kvType,
      boolean sharing,
      int sliceTokens,
      boolean ahead) {}

  /**
   * What came out.
   *
   * @param stepMicros median of a decode step
   * @param stepMicrosBest fastest step
   * @param planMicros median of the planning between a step's tokens and the next step
   * @param gapMicros median time from a step's tokens to the next step's launch on the host; NaN
   *     where a backend does not queue steps
   * @param idleMicros median time for which the device stood still between steps; NaN where unknown
   * @param prefillTokensPerSecond of the common prefix, the second of two times
   * @param kvBytes keys and values in use at the end
   */
  public record Result(
      double stepMicros,
      double stepMicrosBest,
      double planMicros,
      double gapMicros,
      double idleMicros,
      double prefillTokensPerSecond,
      long kvBytes) {}

  private final Workload workload;
  private final Backend backend;
  private final LlamaModel model;
  private final KvCache cache;
  private final AttentionPlanner planner;
  private final int[][] paths;
  private final int[] tokens;
  private final int[] outputRows;
  private final DrawBatch draws;
  private final SamplerState greedy;
  private final boolean ahead;

  /** Loads the weights and takes the cache. */
  public DecodeBench(Backend backend, Workload workload) {
    this.workload = workload;
    this.backend = backend;
    ModelConfig config = workload.config;
    int rows = Math.max(workload.batch, workload.sliceTokens);
    int c = workload.chunkTokens;
    model =
        LlamaModel.random(
            backend, config, 1, rows, workload.shared + workload.steps + c, (_, _) -> {});
    paths = paths();
    int chunks = Arrays.stream(paths[workload.batch - 1]).max().orElseThrow() + 1;
    cache =
        backend.kvCache(
            new KvLayout(config.layers(), config.kvHeads(), config.headDim(), c, workload.kvType),
            chunks);
    planner =
        new AttentionPlanner(
            c,
            backend.parallelism(),
            config.heads(),
            config.kvHeads(),
            workload.sharing,
            backend.planCosts(cache.layout(), config.heads()));
    draws = new DrawBatch(backend, config.vocabulary());
    greedy = SamplerState.start(SamplingOptions.greedy(), 0, new int[0], new int[0], 0);
    ahead = workload.ahead && backend.queuesSteps();
    tokens = new int[rows];
    outputRows = new int[rows];
    for (int i = 0; i < rows; i++) {
      outputRows[i] = i;
    }
  }

  private int[][] paths() {
    int common = workload.shared / workload.chunkTokens;
    int own = (workload.steps - 1) / workload.chunkTokens + 1;
    int next = common;
    int[][] made = new int[workload.batch][common + own];
    for (int s = 0; s < workload.batch; s++) {
      for (int i = 0; i < common + own; i++) {
        boolean shares = i < common && (workload.sharing || s == 0);
        made[s][i] = shares ? i : next++;
      }
    }
    return made;
  }

  /** Computes the prefix twice, then decodes. */
  public Result run() {
    prefill();
    double prefillSeconds = prefill();
    if (!workload.sharing) {
      copyPrefix();
    }
    idleMicros(); // from here on
    double[] steps = new double[workload.steps];
    double[] plans = new double[workload.steps];
    double[] gaps = new double[workload.steps];
    for (int i = 0; i < workload.steps; i++) {
      long start = System.nanoTime();
      StepPlan plan = decodePlan(workload.shared + i);
      plans[i] = (System.nanoTime() - start) / 1e3;
      Tensor logits = model.forward(plan, cache);
      gaps[i] = backend.queuesSteps() ? (System.nanoTime() - start) / 1e3 : Double.NaN;
      draw(logits, i + 1);
      steps[i] = (System.nanoTime() - start) / 1e3;
    }
    return new Result(
        median(steps),
        Arrays.stream(steps).min().orElseThrow(),
        median(plans),
        median(gaps),
        idleMicros(),
        workload.shared / prefillSeconds,
        cache.layout().bytesPerChunk() * cache.chunks());
  }

  private double idleMicros() {
    return backend instanceof IdleTimer timer ? timer.idleMicros() : Double.NaN;
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  /** Draws the next tokens; plans step {@code next} before it waits for them. */
  private void draw(Tensor logits, int next) {
    draws.begin(logits, workload.batch);
    for (int r = 0; r < workload.batch; r++) {
      draws.add(r, greedy, null, DrawBatch.UNSCORED);
    }
    draws.start();
    if (ahead && next < workload.steps) {
      model.prepare(decodePlan(workload.shared + next), cache);
    }
    draws.finish();
    for (int r = 0; r < workload.batch; r++) {
      tokens[r] = draws.token(r);
    }
  }

  private StepPlan decodePlan(int position) {
    planner.begin();
    for (int[] path : paths) {
      planner.add(path, position, 1);
    }
    AttentionPlan plan = planner.finish();
    return new StepPlan(tokens, plan.rowPosition, outputRows, workload.batch, plan);
  }

  /** Seconds for the prefix, slice by slice, up to the first token. */
  private double prefill() {
    for (int i = 0; i < tokens.length; i++) {
      tokens[i] = (i * 7919 + 13) % workload.config.vocabulary();
    }
    long start = System.nanoTime();
    int[] first = new int[1];
    int[] lastRow = new int[1];
    for (int at = 0; at < workload.shared; at += workload.sliceTokens) {
      int count = Math.min(workload.sliceTokens, workload.shared - at);
      planner.begin();
      planner.add(paths[0], at, count);
      AttentionPlan plan = planner.finish();
      lastRow[0] = count - 1;
      boolean ends = at + count == workload.shared;
      Tensor logits =
          model.forward(new StepPlan(tokens, plan.rowPosition, lastRow, ends ? 1 : 0, plan), cache);
      if (ends) {
        backend.argmax(logits, 1, first);
      }
    }
    Arrays.fill(tokens, 0, workload.batch, first[0]);
    return (System.nanoTime() - start) / 1e9;
  }

  private void copyPrefix() {
    for (int s = 1; s < workload.batch; s++) {
      for (int i = 0; i < workload.shared / workload.chunkTokens; i++) {
        cache.copy(paths[0][i], paths[s][i], workload.chunkTokens);
      }
    }
  }

  @Override
  public void close() {
    cache.close();
    model.close();
  }
}
