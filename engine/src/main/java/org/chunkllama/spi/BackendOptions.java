package org.chunkllama.spi;

/**
 * How to open a backend.
 *
 * @param threads worker threads, the caller's included; 0 = one per core
 * @param precision of matrix products
 */
public record BackendOptions(int threads, Precision precision) {
  /** Precision of the linear layers. AUTO takes the fastest whose accuracy is documented. */
  public enum Precision {
    AUTO,
    FP32,
    BF16
  }

  public BackendOptions {
    if (threads < 0) {
      throw new IllegalArgumentException("threads must not be negative: " + threads);
    }
  }

  public static BackendOptions defaults() {
    return new BackendOptions(0, Precision.AUTO);
  }

  public BackendOptions withThreads(int threads) {
    return new BackendOptions(threads, precision);
  }

  public BackendOptions withPrecision(Precision precision) {
    return new BackendOptions(threads, precision);
  }
}
