package org.chunkllama.reference;

import java.util.Objects;
import org.chunkllama.spi.Tensor;

/** Rows of floats in one array. */
final class ReferenceTensor implements Tensor {
  private final int rows;
  private final int columns;

  /** {@code [rows][columns]} */
  final float[] data;

  ReferenceTensor(int rows, int columns) {
    Check.that(rows >= 1 && columns >= 1, "tensor shape %d x %d must be positive", rows, columns);
    Check.that(
        (long) rows * columns <= Integer.MAX_VALUE - 8,
        "tensor of %d x %d is too large for the reference backend",
        rows,
        columns);
    this.rows = rows;
    this.columns = columns;
    this.data = new float[rows * columns];
  }

  @Override
  public int rows() {
    return rows;
  }

  @Override
  public int columns() {
    return columns;
  }

  /** Index of the first value of a row. */
  int at(int row) {
    return row * columns;
  }

  @Override
  public void write(int row, float[] values, int offset) {
    Objects.checkIndex(row, rows);
    System.arraycopy(values, offset, data, at(row), columns);
  }

  @Override
  public float value(int row, int column) {
    return data[at(row) + Objects.checkIndex(column, columns)];
  }

  @Override
  public void read(int row, float[] values, int offset) {
    Objects.checkIndex(row, rows);
    System.arraycopy(data, at(row), values, offset, columns);
  }

  @Override
  public void close() {}
}
