package org.chunkllama.bench;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.chunkllama.bench.AttentionWorkload.Heads;
import org.chunkllama.bench.KernelBench.Shape;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.plan.AttentionPlanner;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.GraphTimer;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.Tensor;

/**
 * Decode attention on a device by its own clock: recorded work, repeated, nothing else in it. Each
 * launch reads another copy of K and V, and the copies together are larger than the device's cache,
 * so all of it comes from memory.
 */
public final class ColdAttention {
  private static final long COLD_BYTES = 220_000_000; // well above the L2 of any GPU
  private static final int LAUNCHES = 24; // in one recording, at least
  private static final int LAYERS_MAX = 512;

  private static final int[][] TOKENS = {
    {0, 1024},
    {0, 4096},
    {1024, 64},
    {2048, 64},
    {4096, 64},
    {2048, 512},
    {2048, 2048},
    {4096, 512},
    {16384, 64}
  };
  private static final int[] BATCHES = {1, 8, 16, 32, 64, 128};

  private final Backend backend;
  private final GraphTimer timer;
  private final int rounds;

  /** Measures on {@code backend}, whose clock {@code timer} is; medians of {@code rounds}. */
  public ColdAttention(Backend backend, GraphTimer timer, int rounds) {
    this.backend = backend;
    this.timer = timer;
    this.rounds = rounds;
  }

  /** 32 query heads over 8 and over 32 KV heads of 128, several batches and lengths. */
  public static List<Shape> grid(DType type) {
    return Stream.of(8, 32)
        .map(kvHeads -> new Heads(32, kvHeads, 128, 64, type))
        .flatMap(heads ->
            IntStream.of(BATCHES)
                .boxed()
                .flatMap(b -> Arrays.stream(TOKENS).map(t -> new Shape(heads, b, t[0], t[1]))))
        .toList();
  }

  /** Bytes of K and V, each token counted once. */
  public static long bytes(Shape shape) {
    long tokens = shape.shared() + (long) shape.batch() * shape.own();
    return tokens * shape.heads().layout().bytesPerToken();
  }

  /** Microseconds of one launch. */
  public double micros(Shape shape) {
    Heads heads = shape.heads();
    int c = heads.chunkTokens();
    int[][] paths = AttentionWorkload.paths(shape.batch(), shape.shared(), shape.own(), c);
    int chunks = Arrays.stream(paths[shape.batch() - 1]).max().orElseThrow() + 1;
    long bytes = bytes(shape);
    int layers = bytes >= 2 * COLD_BYTES ? 1 : (int) Math.min(LAYERS_MAX, COLD_BYTES / bytes + 2);
    KvLayout layout = new KvLayout(layers, heads.kvHeads(), heads.headDim(), c, heads.type());
    int queries = heads.queryHeads() * heads.headDim();
    int columns = queries + 2 * heads.kvHeads() * heads.headDim();
    try (KvCache cache = backend.kvCache(layout, chunks);
        Tensor qkv = backend.tensor(Math.max(shape.batch(), c), columns);
        Tensor out = backend.tensor(shape.batch(), queries)) {
      fill(cache, qkv, columns);
      AttentionPlan plan = plan(shape, paths);
      float scale = (float) (1 / Math.sqrt(heads.headDim()));
      int launches = layers * Math.ceilDiv(LAUNCHES, layers);
      Runnable attention =
          () -> {
            for (int i = 0; i < launches; i++) {
              backend.attention(cache, i % layers, qkv, heads.queryHeads(), scale, plan, out);
            }
          };
      backend.attention(cache, 0, qkv, heads.queryHeads(), scale, plan, out);
      return timer.medianMicros(cache, plan, rounds, attention) / launches;
    }
  }

  private AttentionPlan plan(Shape shape, int[][] paths) {
    Heads heads = shape.heads();
    AttentionPlanner planner =
        new AttentionPlanner(
            heads.chunkTokens(),
            backend.parallelism(),
            heads.queryHeads(),
            heads.kvHeads(),
            true,
            backend.planCosts());
    planner.begin();
    for (int[] path : paths) {
      planner.add(path, shape.shared() + shape.own() - 1, 1);
    }
    return planner.finish();
  }

  private void fill(KvCache cache, Tensor qkv, int columns) {
    SplittableRandom random = new SplittableRandom(1);
    int c = cache.layout().chunkTokens();
    float[] row = new float[columns];
    for (int r = 0; r < qkv.rows(); r++) {
      for (int i = 0; i < columns; i++) {
        row[i] = (float) random.nextDouble(-1, 1);
      }
      qkv.write(r, row, 0);
    }
    AttentionPlan plan = new AttentionPlan(c);
    plan.rows = c;
    plan.ensureRows(c);
    for (int chunk = 0; chunk < cache.chunks(); chunk++) {
      for (int slot = 0; slot < c; slot++) {
        plan.rowChunk[slot] = chunk;
        plan.rowSlot[slot] = slot;
      }
      for (int layer = 0; layer < cache.layout().layers(); layer++) {
        plan.version += layer == 0 ? 1 : 0;
        backend.append(cache, layer, qkv, plan);
      }
    }
  }
}
