package org.chunkllama.cuda;

import java.util.Objects;
import org.chunkllama.cuda.driver.DeviceMemory;
import org.chunkllama.cuda.driver.MatrixProduct;
import org.chunkllama.spi.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Rows of fp32 on the GPU. Once it was the input of a 16-bit product it keeps a 16-bit twin, which
 * kernels that write the tensor fill along with it.
 */
final class CudaTensor implements Tensor {
  private final CudaDevice device;
  private final int rows;
  private final int columns;
  private final DeviceMemory memory;
  private @Nullable DeviceMemory twin;
  private boolean twinCurrent;

  CudaTensor(CudaDevice device, int rows, int columns) {
    if (rows < 1 || columns < 1) {
      throw new IllegalArgumentException(
          "tensor shape %d x %d must be positive".formatted(rows, columns));
    }
    this.device = device;
    this.rows = rows;
    this.columns = columns;
    this.memory =
        device.allocate(
            Math.multiplyExact((long) rows * Float.BYTES, (long) columns), "an activation");
    memory.fill(0, 0, memory.bytes(), device.stream);
  }

  @Override
  public int rows() {
    return rows;
  }

  @Override
  public int columns() {
    return columns;
  }

  /** Rows of {@link #columns} floats. */
  DeviceMemory memory() {
    return memory;
  }

  /** Values from one row of the twin to the next: a multiple of 8, the rest zeros. */
  int twinStride() {
    return (columns + 7) / 8 * 8;
  }

  /** The twin for a kernel that writes tensor and twin; null as long as nobody asked for one. */
  @Nullable DeviceMemory twinToWrite() {
    twinCurrent = twin != null;
    return twin;
  }

  /** A kernel writes the tensor without its twin. */
  DeviceMemory memoryToWrite() {
    twinCurrent = false;
    return memory;
  }

  /** True if the twin holds what the tensor does. */
  boolean isTwinCurrent() {
    return twinCurrent;
  }

  /** The twin, made at first. */
  DeviceMemory twin() {
    if (twin == null) {
      if (device.products == MatrixProduct.Type.F32) {
        throw new IllegalStateException("products read fp32 itself");
      }
      twin = device.allocate((long) rows * twinStride() * Short.BYTES, "an activation");
      twin.fill(0, 0, twin.bytes(), device.stream);
    }
    return twin;
  }

  /** The twin was filled from the tensor. */
  void setTwinCurrent() {
    twinCurrent = true;
  }

  @Override
  public void write(int row, float[] values, int offset) {
    Objects.checkIndex(row, rows);
    Objects.checkFromIndexSize(offset, columns, values.length);
    device.context.bind();
    device.staging.send(values, offset, columns, memoryToWrite(), (long) row * columns * 4);
  }

  @Override
  public void read(int row, float[] values, int offset) {
    Objects.checkIndex(row, rows);
    Objects.checkFromIndexSize(offset, columns, values.length);
    device.context.bind();
    device.staging.receive(memory, (long) row * columns * 4, values, offset, columns);
  }

  @Override
  public void close() {
    device.release(memory);
    if (twin != null) {
      device.release(twin);
      twin = null;
    }
  }
}
