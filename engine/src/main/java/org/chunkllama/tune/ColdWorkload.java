package org.chunkllama.tune;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.SplittableRandom;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.plan.AttentionPlanner;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.GraphTimer;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.Tensor;
import org.chunkllama.spi.WeightTensor;

/**
 * One decode step's attention over a forest, in copies that together exceed the cache. As in a
 * model, a product reads what attention writes; the product itself is not measured.
 */
public final class ColdWorkload implements AutoCloseable {
  private static final long COLD_BYTES = 220_000_000; // well above the L2 of any GPU
  private static final int LAUNCHES = 24; // in one recording, at least
  private static final int LAYERS_MAX = 512;
  private static final int PROJECTED = 8; // columns: what the product gives does not matter

  private final Backend backend;
  private final GraphTimer timer;
  private final int queryHeads;
  private final int[][] paths;
  private final int[] lengths;
  private final Deque<Runnable> opened = new ArrayDeque<>(); // what closes it
  private final KvCache cache;
  private final Tensor qkv;
  private final Tensor out;

  /**
   * Fills a cache with random keys and values.
   *
   * @param layout of the cache, but for its layers
   * @param queryHeads query heads
   * @param paths chunk ids of each sequence, in the tree's depth-first order
   * @param lengths tokens of each sequence
   */
  public ColdWorkload(
      Backend backend,
      GraphTimer timer,
      KvLayout layout,
      int queryHeads,
      int[][] paths,
      int[] lengths) {
    this.backend = backend;
    this.timer = timer;
    this.queryHeads = queryHeads;
    this.paths = paths;
    this.lengths = lengths;
    int c = layout.chunkTokens();
    int chunks = Arrays.stream(paths).flatMapToInt(Arrays::stream).max().orElseThrow() + 1;
    long bytes = 2L * chunks * c * layout.kvHeads() * layout.headDim() * layout.type().blockBytes();
    int layers = bytes >= 2 * COLD_BYTES ? 1 : (int) Math.min(LAYERS_MAX, COLD_BYTES / bytes + 2);
    int queries = queryHeads * layout.headDim();
    int columns = queries + 2 * layout.kvHeads() * layout.headDim();
    boolean done = false;
    try {
      cache =
          backend.kvCache(
              new KvLayout(layers, layout.kvHeads(), layout.headDim(), c, layout.type()), chunks);
      opened.push(cache::close);
      qkv = backend.tensor(Math.max(paths.length, c), columns);
      opened.push(qkv::close);
      out = backend.tensor(paths.length, queries);
      opened.push(out::close);
      fill(columns);
      project(queries);
      done = true;
    } finally {
      if (!done) {
        close(); // the device's memory may be what was missing
      }
    }
  }

  /** Attention's output becomes the input of a product, once: a backend may store it as such. */
  private void project(int queries) {
    try (Arena arena = Arena.ofConfined();
        Tensor projected = backend.tensor(paths.length, PROJECTED)) {
      MemorySegment zeros = arena.allocate((long) PROJECTED * queries * Float.BYTES, Float.BYTES);
      WeightTensor weight = new WeightTensor("zeros", DType.F32, PROJECTED, queries, zeros);
      backend.linear(backend.matrix(List.of(weight)), null, out, paths.length, projected, false);
      projected.read(0, new float[PROJECTED], 0); // the weight has been read
    }
  }

  /** Microseconds of one launch by the costs that the backend goes by now: median of rounds. */
  public double micros(int rounds) {
    return micros(rounds, true);
  }

  /** The same; without {@code sharing} each sequence reads for itself, over the same chunks. */
  public double micros(int rounds, boolean sharing) {
    AttentionPlan plan = plan(sharing);
    int layers = cache.layout().layers();
    float scale = (float) (1 / Math.sqrt(cache.layout().headDim()));
    int launches = layers * Math.ceilDiv(LAUNCHES, layers);
    Runnable attention =
        () -> {
          for (int i = 0; i < launches; i++) {
            backend.attention(cache, i % layers, qkv, queryHeads, scale, plan, out);
          }
        };
    backend.attention(cache, 0, qkv, queryHeads, scale, plan, out);
    return timer.medianMicros(cache, plan, rounds, attention) / launches;
  }

  private AttentionPlan plan(boolean sharing) {
    AttentionPlanner planner =
        new AttentionPlanner(
            cache.layout().chunkTokens(),
            backend.parallelism(),
            queryHeads,
            cache.layout().kvHeads(),
            sharing,
            backend.planCosts(cache.layout(), queryHeads));
    planner.begin();
    for (int i = 0; i < paths.length; i++) {
      planner.add(paths[i], lengths[i] - 1, 1);
    }
    return planner.finish();
  }

  private void fill(int columns) {
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

  @Override
  public void close() {
    opened.forEach(Runnable::run);
    opened.clear();
  }
}
