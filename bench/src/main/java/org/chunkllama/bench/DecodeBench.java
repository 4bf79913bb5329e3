package org.chunkllama.bench;

import java.util.Arrays;
import org.chunkllama.model.LlamaModel;
import org.chunkllama.model.ModelConfig;
import org.chunkllama.model.StepPlan;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.plan.AttentionPlanner;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.Tensor;

/**
 * A whole model's decode steps with random weights: a batch of sequences behind a common prefix,
 * greedy. Planning, forward pass and argmax are in the times; scheduling and text are not.
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
   */
  public record Workload(
      ModelConfig config,
      int batch,
      int shared,
      int steps,
      int chunkTokens,
      DType kvType,
      boolean sharing,
      int sliceTokens) {}

  /**
   * What came out.
   *
   * @param stepMicros median of a decode step
   * @param stepMicrosBest fastest step
   * @param planMicros median of the planning in it
   * @param prefillTokensPerSecond of the common prefix, the second of two times
   * @param kvBytes keys and values in use at the end
   */
  public record Result(
      double stepMicros,
      double stepMicrosBest,
      double planMicros,
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
    double[] steps = new double[workload.steps];
    double[] plans = new double[workload.steps];
    for (int i = 0; i < workload.steps; i++) {
      long start = System.nanoTime();
      StepPlan plan = decodePlan(workload.shared + i);
      plans[i] = (System.nanoTime() - start) / 1e3;
      Tensor logits = model.forward(plan, cache);
      backend.argmax(logits, workload.batch, tokens);
      steps[i] = (System.nanoTime() - start) / 1e3;
    }
    Arrays.sort(steps);
    Arrays.sort(plans);
    return new Result(
        steps[steps.length / 2],
        steps[0],
        plans[plans.length / 2],
        workload.shared / prefillSeconds,
        cache.layout().bytesPerChunk() * cache.chunks());
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
