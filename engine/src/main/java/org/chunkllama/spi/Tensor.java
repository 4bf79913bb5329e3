package org.chunkllama.spi;

/**
 * Activations on a device: fp32, row-major, {@code rows} x {@code columns}. Made by {@link
 * Backend#tensor}; belongs to the thread that drives the backend.
 */
public interface Tensor extends AutoCloseable {
  /** Rows it has room for. */
  int rows();

  /** Values in a row. */
  int columns();

  /**
   * Copies one row's worth of values, {@code values[offset, offset + columns())}, to row {@code
   * row}.
   */
  void write(int row, float[] values, int offset);

  /**
   * Copies row {@code row} into {@code values[offset, offset + columns())}; waits for pending work
   * on the device.
   */
  void read(int row, float[] values, int offset);

  /** One value; waits as {@link #read} does. */
  default float value(int row, int column) {
    float[] values = new float[columns()];
    read(row, values, 0);
    return values[column];
  }

  @Override
  void close();
}
