package org.chunkllama.bench;

import org.chunkllama.spi.Backend;

/** Matrix products of the linear layers against the core's measured peak, in turns. */
public final class ProductBench {
  private final Backend backend;
  private final int rounds;

  /**
   * What came of a number of rows.
   *
   * @param gigaflopsPerSecond of the product
   * @param peakGigaflopsPerSecond of fused multiply-adds on registers
   * @param ratio product / peak, the median of the rounds' ratios
   */
  public record Result(
      int rows, double gigaflopsPerSecond, double peakGigaflopsPerSecond, double ratio) {}

  /**
   * Measures on {@code backend}, which should have one thread: the peak is one core's.
   *
   * @param rounds of each shape; medians are taken
   */
  public ProductBench(Backend backend, int rounds) {
    this.backend = backend;
    this.rounds = rounds;
  }

  /** Measures products of {@code rows} rows with a matrix of {@code size} x {@code size}. */
  public Result measure(int rows, int size) {
    FmaPeak peak = new FmaPeak();
    try (ProductWorkload product = new ProductWorkload(backend, rows, size)) {
      int steps = FmaPeak.steps(product.operations());
      Ratios.Result times = Ratios.compare(product::multiply, () -> peak.run(steps), rounds);
      double excess = FmaPeak.operations(steps) / product.operations();
      return new Result(
          rows,
          product.operations() / times.firstNanos(),
          FmaPeak.operations(steps) / times.secondNanos(),
          times.ratio() / excess);
    }
  }
}
