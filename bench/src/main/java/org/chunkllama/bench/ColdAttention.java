package org.chunkllama.bench;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.chunkllama.bench.AttentionWorkload.Heads;
import org.chunkllama.bench.KernelBench.Shape;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.GraphTimer;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.Tensor;
import org.chunkllama.tune.ColdWorkload;

/**
 * Decode attention on a device by its own clock: recorded work, repeated, nothing else in it. Each
 * launch reads another copy of K and V, and the copies together are larger than the device's cache,
 * so all of it comes from memory.
 */
public final class ColdAttention {
  /** Tokens per chunk in {@link #grid}. */
  public static final int CHUNK = 64;

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
  private static final int PLAN_BATCH = 128;
  private static final int PLAN_SHARED = 2048;
  private static final int PLAN_OWN = 512;
  private static final int PLAN_ROUNDS = 200;
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

  /** 32 query heads over 8 and over 32 KV heads of 128. */
  public static List<Heads> heads(DType type) {
    return Stream.of(8, 32).map(kvHeads -> new Heads(32, kvHeads, 128, CHUNK, type)).toList();
  }

  /** All of {@link #heads}, several batches and lengths. */
  public static List<Shape> grid(DType type) {
    return heads(type).stream()
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

  /**
   * What came of a tree.
   *
   * @param shared microseconds of one launch that shares where that pays
   * @param unshared microseconds with each sequence reading for itself
   */
  public record TreeTimes(double shared, double unshared) {}

  /** Times of a tree, shared and not. */
  public TreeTimes times(Heads heads, DecodeTree tree) {
    try (ColdWorkload workload =
        new ColdWorkload(
            backend, timer, heads.layout(), heads.queryHeads(), tree.paths(), tree.lengths())) {
      return new TreeTimes(workload.micros(rounds, true), workload.micros(rounds, false));
    }
  }

  /**
   * Microseconds that the host spends on the plan of a step and on bringing it to the device: 128
   * sequences behind 2,048 common tokens, of which some begin a chunk in most steps. The best of
   * some rounds, a round being as many steps as a chunk has tokens.
   */
  public double hostMicros(Heads heads) {
    PlanSteps steps = new PlanSteps(backend, heads, PLAN_BATCH, PLAN_SHARED, PLAN_OWN);
    int queries = heads.queryHeads() * heads.headDim();
    int columns = queries + 2 * heads.kvHeads() * heads.headDim();
    try (KvCache cache = backend.kvCache(heads.layout(), steps.chunks());
        Tensor qkv = backend.tensor(steps.rows(), columns);
        Tensor out = backend.tensor(steps.rows(), queries)) {
      float[] read = new float[queries];
      double best = Double.MAX_VALUE;
      for (int round = 0; round < PLAN_ROUNDS; round++) {
        // The device has caught up, and has tables for the cache.
        backend.attention(cache, 0, qkv, heads.queryHeads(), 1, steps.next(), out);
        out.read(0, read, 0);
        long start = System.nanoTime();
        for (int i = 0; i < heads.chunkTokens(); i++) {
          timer.send(cache, steps.next());
        }
        best = Math.min(best, (System.nanoTime() - start) / 1e3 / heads.chunkTokens());
      }
      return best;
    }
  }

  /** Bytes of K and V of a tree, each token counted once. */
  public static long bytes(Heads heads, DecodeTree tree) {
    return 2 * tree.tokens() * heads.kvHeads() * heads.headDim() * heads.type().blockBytes();
  }

  /** Microseconds of one launch. */
  public double micros(Shape shape) {
    int[][] paths =
        AttentionWorkload.paths(
            shape.batch(), shape.shared(), shape.own(), shape.heads().chunkTokens());
    int[] lengths = new int[shape.batch()];
    Arrays.fill(lengths, shape.shared() + shape.own());
    Heads heads = shape.heads();
    try (ColdWorkload workload =
        new ColdWorkload(backend, timer, heads.layout(), heads.queryHeads(), paths, lengths)) {
      return workload.micros(rounds);
    }
  }
}
