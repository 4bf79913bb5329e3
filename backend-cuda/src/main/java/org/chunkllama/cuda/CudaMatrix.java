package org.chunkllama.cuda;

import org.chunkllama.cuda.driver.DeviceMemory;
import org.chunkllama.cuda.driver.MatrixProduct;
import org.chunkllama.spi.Matrix;
import org.jspecify.annotations.Nullable;

/** A weight in the type of the products, row-major, rows padded with zeros to a multiple of 8. */
final class CudaMatrix implements Matrix {
  private final int outputs;
  private final int inputs;
  private final DeviceMemory memory;

  /** The product that ran last: most often the next one too. */
  @Nullable MatrixProduct lastProduct;

  int lastRows;
  boolean lastAdd;

  CudaMatrix(int outputs, int inputs, DeviceMemory memory) {
    this.outputs = outputs;
    this.inputs = inputs;
    this.memory = memory;
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
