package org.chunkllama.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import org.chunkllama.spi.Tensor;

/**
 * Activations in native memory, 64-byte aligned. Rows are {@link #stride} floats apart: columns
 * rounded up to 16. The padding behind a row's columns is zero and stays zero, so kernels may read
 * whole vectors of up to 16 floats; they must not write other values there.
 */
final class CpuTensor implements Tensor {
  /** Rows begin at multiples of this many floats. */
  static final int ROW_ALIGNMENT = 16;

  private static final int BYTE_ALIGNMENT = 64;

  private final int rows;
  private final int columns;
  private final int stride;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment segment;
  private boolean open = true;

  CpuTensor(int rows, int columns) {
    if (rows < 1 || columns < 1) {
      throw new IllegalArgumentException("tensor of " + rows + " x " + columns);
    }
    this.rows = rows;
    this.columns = columns;
    this.stride = Math.ceilDiv(columns, ROW_ALIGNMENT) * ROW_ALIGNMENT;
    this.segment = arena.allocate(rows * rowBytes(), BYTE_ALIGNMENT);
  }

  @Override
  public int rows() {
    return rows;
  }

  @Override
  public int columns() {
    return columns;
  }

  /** Floats from one row to the next. */
  int stride() {
    return stride;
  }

  /** Bytes from one row to the next. */
  long rowBytes() {
    return (long) stride * Float.BYTES;
  }

  /** All rows. */
  MemorySegment segment() {
    return segment;
  }

  /**
   * Address of the first row, for kernels.
   *
   * @throws IllegalStateException if closed
   */
  long address() {
    if (!open) {
      throw new IllegalStateException("tensor is closed");
    }
    return segment.address();
  }

  /** Address of row {@code row}; not checked against {@link #rows}. */
  long rowAddress(int row) {
    return address() + row * rowBytes();
  }

  @Override
  public void write(int row, float[] values, int offset) {
    Objects.checkIndex(row, rows);
    MemorySegment.copy(values, offset, segment, ValueLayout.JAVA_FLOAT, row * rowBytes(), columns);
  }

  @Override
  public float value(int row, int column) {
    Objects.checkIndex(row, rows);
    Objects.checkIndex(column, columns);
    return segment.get(ValueLayout.JAVA_FLOAT, row * rowBytes() + 4L * column);
  }

  @Override
  public void read(int row, float[] values, int offset) {
    Objects.checkIndex(row, rows);
    MemorySegment.copy(segment, ValueLayout.JAVA_FLOAT, row * rowBytes(), values, offset, columns);
  }

  @Override
  public void close() {
    if (open) {
      open = false;
      arena.close();
    }
  }
}
