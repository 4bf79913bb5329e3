package org.chunkllama.cuda;

import java.util.Arrays;
import org.chunkllama.contract.SmallLlama;
import org.chunkllama.model.LlamaModel;
import org.chunkllama.model.ModelConfig;
import org.chunkllama.model.StepPlan;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.plan.AttentionPlanner;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.RowDraws;
import org.chunkllama.spi.RowSampler;
import org.chunkllama.spi.Tensor;

/** A model of two layers that decodes, on whatever GPU. */
final class Decoding implements AutoCloseable {
  private static final int CHUNK = 16;
  private static final int ROWS = 8;
  static final ModelConfig CONFIG =
      SmallLlama.config(8192); // so many that the choice of a product is measured

  final CudaBackend backend;
  private final LlamaModel model;
  final KvCache cache;
  private final AttentionPlanner planner;
  private int position = 20;

  Decoding(CudaBackend backend) {
    this.backend = backend;
    model = LlamaModel.random(backend, CONFIG, 1, ROWS, CONFIG.context(), (_, _) -> {});
    KvLayout layout = new KvLayout(CONFIG.layers(), CONFIG.kvHeads(), 64, CHUNK, DType.F16);
    cache = backend.kvCache(layout, ROWS * 8);
    planner = new AttentionPlanner(CHUNK, 1, CONFIG.heads(), CONFIG.kvHeads(), true);
  }

  /** Logits of {@code rows} sequences, and a token of each. */
  void step(int rows) {
    planner.begin();
    for (int r = 0; r < rows; r++) {
      int first = r * 8;
      planner.add(new int[] {0, first + 1, first + 2, first + 3}, position, 1);
    }
    position = position < 60 ? position + 1 : 20;
    AttentionPlan plan = planner.finish();
    int[] outputs = new int[rows];
    Arrays.setAll(outputs, r -> r);
    Tensor logits =
        model.forward(new StepPlan(new int[rows], plan.rowPosition, outputs, rows, plan), cache);
    RowSampler sampler = backend.rowSampler(CONFIG.vocabulary()).orElseThrow();
    RowDraws draws = new RowDraws(CONFIG.vocabulary());
    for (int r = 0; r < rows; r++) {
      draws.add(r);
    }
    sampler.start(logits, draws);
    sampler.finish(draws);
  }

  @Override
  public void close() {
    cache.close();
    model.close();
    backend.close();
  }
}
