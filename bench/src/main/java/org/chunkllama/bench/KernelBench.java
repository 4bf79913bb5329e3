package org.chunkllama.bench;

import java.util.List;
import org.chunkllama.bench.AttentionWorkload.Heads;
import org.chunkllama.spi.Backend;

/** Decode attention of one layer: two-phase against sequence-first over the same chunks. */
public final class KernelBench {
  private final Backend backend;
  private final int rounds;

  /**
   * A shape to measure.
   *
   * @param heads heads, head dim, chunk size and type of K and V
   * @param batch sequences, 1 or more
   * @param shared tokens that all share
   * @param own tokens of each sequence's own, 1 or more
   */
  public record Shape(Heads heads, int batch, int shared, int own) {}

  /**
   * What came of a shape.
   *
   * @param twoPhaseNanos per step and layer
   * @param sequenceFirstNanos per step and layer
   * @param ratio how many times faster two-phase is
   * @param gigaflopsPerSecond of two-phase, counting every visible token once per row
   */
  public record Result(
      Shape shape,
      double twoPhaseNanos,
      double sequenceFirstNanos,
      double ratio,
      double gigaflopsPerSecond) {}

  /** Measures on {@code backend}, medians of {@code rounds}. */
  public KernelBench(Backend backend, int rounds) {
    this.backend = backend;
    this.rounds = rounds;
  }

  /** The shapes of the paper's table, and of small models. */
  public static List<Shape> shapes(org.chunkllama.spi.DType type) {
    Heads paper = new Heads(32, 32, 128, 64, type);
    Heads llama3 = new Heads(32, 8, 128, 64, type);
    Heads smollm2 = new Heads(9, 3, 64, 64, type);
    return List.of(
        new Shape(paper, 32, 0, 64),
        new Shape(paper, 32, 1024, 64),
        new Shape(paper, 32, 2048, 64),
        new Shape(paper, 32, 4096, 64),
        new Shape(llama3, 32, 0, 64),
        new Shape(llama3, 32, 2048, 64),
        new Shape(smollm2, 32, 0, 64),
        new Shape(smollm2, 32, 2000, 64));
  }

  /** Lets the compiler see the kernels; call once before measuring. */
  public void warmUp(Heads heads) {
    try (AttentionWorkload workload = new AttentionWorkload(backend, heads, 8, 256, 32, 1)) {
      Ratios.warmUp(workload::twoPhase, workload::sequenceFirst);
    }
  }

  /** Measures one shape. */
  public Result measure(Shape shape) {
    try (AttentionWorkload workload =
        new AttentionWorkload(
            backend, shape.heads(), shape.batch(), shape.shared(), shape.own(), 1)) {
      Ratios.Result times = Ratios.compare(workload::twoPhase, workload::sequenceFirst, rounds);
      return new Result(
          shape,
          times.firstNanos(),
          times.secondNanos(),
          times.ratio(),
          workload.operations() / times.firstNanos());
    }
  }
}
