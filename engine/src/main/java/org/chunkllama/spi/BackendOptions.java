package org.chunkllama.spi;

import org.chunkllama.error.InvalidRequestException;

/**
 * How to open a backend.
 *
 * @param threads worker threads, the caller's included; 0 = one per core
 * @param precision of matrix products
 * @param weights what becomes of quantised weights
 */
public record BackendOptions(int threads, Precision precision, WeightPolicy weights) {
  /** Precision of the linear layers. AUTO takes the fastest whose accuracy is documented. */
  public enum Precision {
    AUTO,
    FP32,
    BF16,
    /** On devices with fp16 arithmetic alone. */
    FP16
  }

  public BackendOptions {
    if (threads < 0) {
      throw new IllegalArgumentException("threads must not be negative: " + threads);
    }
  }

  /** All weights wide where the backend has a choice. */
  public BackendOptions(int threads, Precision precision) {
    this(threads, precision, WeightPolicy.WIDE);
  }

  public static BackendOptions defaults() {
    return new BackendOptions(0, Precision.AUTO);
  }

  /**
   * For backends that have no products in fp16.
   *
   * @param name the backend's
   * @throws InvalidRequestException if fp16 is asked for
   */
  public void refuseFp16(String name) {
    if (precision == Precision.FP16) {
      throw new InvalidRequestException(
          "backend %s has no products in fp16: take --precision bf16 or fp32, or --backend cuda"
              .formatted(name));
    }
  }

  public BackendOptions withThreads(int threads) {
    return new BackendOptions(threads, precision, weights);
  }

  public BackendOptions withWeights(WeightPolicy weights) {
    return new BackendOptions(threads, precision, weights);
  }

  public BackendOptions withPrecision(Precision precision) {
    return new BackendOptions(threads, precision, weights);
  }
}
