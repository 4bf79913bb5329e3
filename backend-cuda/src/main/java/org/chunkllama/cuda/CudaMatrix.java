package org.chunkllama.cuda;

import org.chunkllama.cuda.driver.DeviceMemory;
import org.chunkllama.cuda.driver.MatrixProduct;
import org.chunkllama.spi.Matrix;
import org.jspecify.annotations.Nullable;

/**
 * A weight in the type of the products, row-major, rows padded with zeros to a multiple of 8; or,
 * quantised, in the tiles that {@code quantised.cu} describes, scales behind them.
 */
final class CudaMatrix implements Matrix {
  private final int outputs;
  private final int inputs;
  private final DeviceMemory memory;
  private final boolean quantised;

  /** The product that ran last: most often the next one too. */
  @Nullable MatrixProduct lastProduct;

  int lastRows;
  boolean lastAdd;

  CudaMatrix(int outputs, int inputs, DeviceMemory memory, boolean quantised) {
    this.outputs = outputs;
    this.inputs = inputs;
    this.memory = memory;
    this.quantised = quantised;
  }

  /** True if in Q8_0. */
  boolean isQuantised() {
    return quantised;
  }

  /** Where a quantised weight's scales begin. */
  long scalesOffset() {
    return scalesOffset(outputs, inputs);
  }

  static long scalesOffset(int outputs, int inputs) {
    return Math.ceilDiv(outputs, 16) * 16L * inputs;
  }

  /** Bytes of a quantised weight. */
  static long quantisedBytes(int outputs, int inputs) {
    return scalesOffset(outputs, inputs) / 32 * 34;
  }

  /** Values from one row to the next. */
  static int stride(int inputs) {
    return (inputs + 7) / 8 * 8;
  }

  @Override
  public int outputs() {
    return outputs;
  }

  @Override
  public int inputs() {
    return inputs;
  }

  @Override
  public long bytes() {
    return memory.bytes();
  }

  DeviceMemory memory() {
    return memory;
  }
}
