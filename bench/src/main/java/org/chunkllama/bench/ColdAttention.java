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

/**
 * Decode attention on a device by its own clock: recorded work, repeated, nothing else in it. Each
 * launch reads another copy of K and V, and the copies together are larger than the device's cache,
 * so all of it comes from memory.
 */
public final class ColdAttention {
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
    Heads heads = shape.heads();
    long tokens = shape.shared() + (long) shape.batch() * shape.own();
    return 2 * tokens * heads.kvHeads() * heads.headDim() * heads.type().blockBytes();
  }

  /** Microseconds of one launch. */
  public double micros(Shape shape) {
    int[][] paths =
        AttentionWorkload.paths(
            shape.batch(), shape.shared(), shape.own(), shape.heads().chunkTokens());
    int[] lengths = new int[shape.batch()];
    Arrays.fill(lengths, shape.shared() + shape.own());
    try (ColdWorkload workload = new ColdWorkload(backend, timer, shape.heads(), paths, lengths)) {
      return workload.micros(rounds);
    }
  }
}
