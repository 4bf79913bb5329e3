package org.chunkllama.parity;

import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.chunkllama.files.ModelFile;
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

/** Logits of one sequence at chosen positions, prefilled in slices, without an engine. */
final class ForwardProbe {
  private static final int CHUNK = 16;

  private final Backend backend;
  private final ModelFile file;
  private final int slice;

  ForwardProbe(Backend backend, ModelFile file, int slice) {
    this.backend = backend;
    this.file = file;
    this.slice = slice;
  }

  /** Position to logits. */
  Map<Integer, float[]> logits(int[] tokens, int... positions) {
    ModelConfig c = file.config();
    int chunks = tokens.length / CHUNK + 1;
    Map<Integer, float[]> all = new TreeMap<>();
    try (LlamaModel model = LlamaModel.load(backend, c, file, slice, tokens.length, (_, _) -> {});
        KvCache cache =
            backend.kvCache(
                new KvLayout(c.layers(), c.kvHeads(), c.headDim(), CHUNK, DType.F32), chunks)) {
      AttentionPlanner planner =
          new AttentionPlanner(CHUNK, backend.parallelism(), c.heads(), c.kvHeads(), true);
      int[] chunkIds = IntStream.range(0, chunks).map(i -> chunks - 1 - i).toArray();
      for (int from = 0; from < tokens.length; from += slice) {
        int start = from;
        int to = Math.min(tokens.length, from + slice);
        planner.begin();
        planner.add(chunkIds, from, to - from);
        AttentionPlan plan = planner.finish();
        int[] rows =
            Arrays.stream(positions)
                .filter(p -> p >= start && p < to)
                .map(p -> p - start)
                .toArray();
        Tensor logits =
            model.forward(
                new StepPlan(
                    Arrays.copyOfRange(tokens, from, to),
                    plan.rowPosition,
                    rows,
                    rows.length,
                    plan),
                cache);
        for (int i = 0; i < rows.length; i++) {
          float[] row = new float[c.vocabulary()];
          logits.read(i, row, 0);
          all.put(start + rows[i], row);
        }
      }
    }
    return all;
  }
}
