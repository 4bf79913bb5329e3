package org.chunkllama.cpu;

/**
 * Packed weights of consecutive outputs that can show themselves as fp32 panels: {@code
 * [inputs][WIDTH]}, a lane an output. Lanes behind the last output are zero.
 */
interface PanelSource extends AutoCloseable {
  /** Outputs in a panel: two vectors. */
  int WIDTH = 2 * VectorShape.LANES;

  /** Outputs packed here. */
  int outputs();

  /** Memory it takes. */
  long bytes();

  /**
   * Inputs [from, from + count) of a panel.
   *
   * @param from a multiple of 256
   * @param count a multiple of the group, or all that are left
   * @param scratch address of room for {@code count * WIDTH} floats, used or not
   * @return address of the values
   */
  long panel(int index, int from, int count, long scratch);

  /** Number of panels. */
  default int panels() {
    return Math.ceilDiv(outputs(), WIDTH);
  }

  @Override
  void close();
}
