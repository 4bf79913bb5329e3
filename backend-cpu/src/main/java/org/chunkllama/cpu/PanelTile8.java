package org.chunkllama.cpu;

import jdk.incubator.vector.FloatVector;

/** Micro-kernel of {@link PanelProduct}: 8 rows times one panel, sums in registers. */
final class PanelTile8 {
  /** Rows of the tile. */
  static final int ROWS = 8;

  private static final int LANES = VectorShape.LANES;
  private static final int WIDTH = PanelSource.WIDTH;

  private PanelTile8() {}

  /**
   * {@code sums = a . b}.
   *
   * @param a rows' values {@code [count][8]} from {@code at} on
   * @param b panel {@code [count][WIDTH]}, an address
   * @param count inputs
   * @param sums {@code [8][WIDTH]}
   */
  static void multiply(float[] a, int at, long b, int count, float[] sums) {
    FloatVector c0x0 = FloatVector.zero(VectorShape.FLOATS);
    FloatVector c0x1 = c0x0;
    FloatVector c1x0 = c0x0;
    FloatVector c1x1 = c0x0;
    FloatVector c2x0 = c0x0;
    FloatVector c2x1 = c0x0;
    FloatVector c3x0 = c0x0;
    FloatVector c3x1 = c0x0;
    FloatVector c4x0 = c0x0;
    FloatVector c4x1 = c0x0;
    FloatVector c5x0 = c0x0;
    FloatVector c5x1 = c0x0;
    FloatVector c6x0 = c0x0;
    FloatVector c6x1 = c0x0;
    FloatVector c7x0 = c0x0;
    FloatVector c7x1 = c0x0;
    for (int k = 0; k < count; k++) {
      long panel = (b & NativeMemory.MASK) + 4L * WIDTH * k;
      FloatVector b0 = NativeMemory.load(panel);
      FloatVector b1 = NativeMemory.load(panel + 4L * LANES);
      int i = at + 8 * k;
      FloatVector x = broadcast(a[i]);
      c0x0 = b0.fma(x, c0x0);
      c0x1 = b1.fma(x, c0x1);
      x = broadcast(a[i + 1]);
      c1x0 = b0.fma(x, c1x0);
      c1x1 = b1.fma(x, c1x1);
      x = broadcast(a[i + 2]);
      c2x0 = b0.fma(x, c2x0);
      c2x1 = b1.fma(x, c2x1);
      x = broadcast(a[i + 3]);
      c3x0 = b0.fma(x, c3x0);
      c3x1 = b1.fma(x, c3x1);
      x = broadcast(a[i + 4]);
      c4x0 = b0.fma(x, c4x0);
      c4x1 = b1.fma(x, c4x1);
      x = broadcast(a[i + 5]);
      c5x0 = b0.fma(x, c5x0);
      c5x1 = b1.fma(x, c5x1);
      x = broadcast(a[i + 6]);
      c6x0 = b0.fma(x, c6x0);
      c6x1 = b1.fma(x, c6x1);
      x = broadcast(a[i + 7]);
      c7x0 = b0.fma(x, c7x0);
      c7x1 = b1.fma(x, c7x1);
    }
    c0x0.intoArray(sums, 0);
    c0x1.intoArray(sums, LANES);
    c1x0.intoArray(sums, WIDTH);
    c1x1.intoArray(sums, WIDTH + LANES);
    c2x0.intoArray(sums, 2 * WIDTH);
    c2x1.intoArray(sums, 2 * WIDTH + LANES);
    c3x0.intoArray(sums, 3 * WIDTH);
    c3x1.intoArray(sums, 3 * WIDTH + LANES);
    c4x0.intoArray(sums, 4 * WIDTH);
    c4x1.intoArray(sums, 4 * WIDTH + LANES);
    c5x0.intoArray(sums, 5 * WIDTH);
    c5x1.intoArray(sums, 5 * WIDTH + LANES);
    c6x0.intoArray(sums, 6 * WIDTH);
    c6x1.intoArray(sums, 6 * WIDTH + LANES);
    c7x0.intoArray(sums, 7 * WIDTH);
    c7x1.intoArray(sums, 7 * WIDTH + LANES);
  }

  private static FloatVector broadcast(float value) {
    return FloatVector.broadcast(VectorShape.FLOATS, value);
  }
}
