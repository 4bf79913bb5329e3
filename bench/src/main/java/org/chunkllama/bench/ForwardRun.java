package org.chunkllama.bench;

import java.util.stream.IntStream;
import org.chunkllama.files.ModelFile;
import org.chunkllama.model.LlamaModel;
import org.chunkllama.model.ModelConfig;
import org.chunkllama.model.StepPlan;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.plan.AttentionPlanner;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.Backends;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.Tensor;

/** A model on one sequence, for its logits: no engine, no sharing. */
final class ForwardRun implements AutoCloseable {
  private static final int CHUNK_TOKENS = 64;

  private final Backend backend;
  private final LlamaModel model;
  private final KvCache cache;
  private final AttentionPlanner planner;
  private final int[] chunkIds;

  /**
   * Loads the model.
   *
   * @param positions longest sequence, in tokens
   * @param rows most tokens of a step
   */
  ForwardRun(
      ModelFile file,
      String backendName,
      BackendOptions options,
      DType kvType,
      int positions,
      int rows) {
    ModelConfig config = file.config();
    int chunks = (positions - 1) / CHUNK_TOKENS + 1;
    backend = Backends.open(backendName, options);
    model = LlamaModel.load(backend, config, file, rows, positions, (_, _) -> {});
    cache =
        backend.kvCache(
            new KvLayout(config.layers(), config.kvHeads(), config.headDim(), CHUNK_TOKENS, kvType),
            chunks);
    planner =
        new AttentionPlanner(
            CHUNK_TOKENS,
            backend.parallelism(),
            config.heads(),
            config.kvHeads(),
            true,
            backend.planCosts(cache.layout(), config.heads()));
    chunkIds = IntStream.range(0, chunks).toArray();
  }

  /** Computes keys and values of tokens {@code [from, to)}, {@code slice} at a time. */
  void skip(int[] tokens, int from, int to, int slice) {
    for (int at = from; at < to; at += slice) {
      step(tokens, at, Math.min(slice, to - at), 0);
    }
  }

  /** Logits {@code [count][vocabulary]} after each of the tokens {@code [from, from + count)}. */
  float[][] logits(int[] tokens, int from, int count) {
    Tensor logits = step(tokens, from, count, count);
    float[][] values = new float[count][logits.columns()];
    for (int i = 0; i < count; i++) {
      logits.read(i, values[i], 0);
    }
    return values;
  }

  private Tensor step(int[] tokens, int from, int count, int outputs) {
    planner.begin();
    planner.add(chunkIds, from, count);
    AttentionPlan plan = planner.finish();
    int[] slice = java.util.Arrays.copyOfRange(tokens, from, from + count);
    int[] rows = IntStream.range(0, outputs).toArray();
    return model.forward(new StepPlan(slice, plan.rowPosition, rows, outputs, plan), cache);
  }

  @Override
  public void close() {
    cache.close();
    model.close();
    backend.close();
  }
}
