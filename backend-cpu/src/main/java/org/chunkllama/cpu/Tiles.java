package org.chunkllama.cpu;

import static org.chunkllama.cpu.VectorShape.LANES;

/** Cuts products into the tiles there are kernels for. */
final class Tiles {
  /** Columns that fit the registers beside six rows: AVX2 has 16 of them, AVX-512 and NEON 32. */
  private static final int MAX_COLUMNS = LANES == 8 ? 2 : 4;

  private static final int BYTES = Float.BYTES * LANES;

  private Tiles() {}

  /**
   * Rows of the next tile when {@code remaining} are left, 1 to 6. Only the last tile can have one
   * row fewer than its kernel.
   */
  static int height(int remaining) {
    if (remaining > 8 || remaining == 6) {
      return 6;
    }
    return remaining > 6 ? 4 : remaining;
  }

  /**
   * {@code out[rows][vectors] = queries[rows][d] . keys[d][slots]}, the first {@code vectors}
   * vectors of slots.
   *
   * @param rows 1 to 6
   * @param keys a K block in fp32, see {@link CpuKvCache}
   */
  static void scores(int rows, int d, int vectors, long queries, long keys, long out, long outRow) {
    int panelRow = Float.BYTES * CpuKvCache.PANEL;
    long panelBytes = (long) d * panelRow;
    long queryRow = (long) d * Float.BYTES;
    if (LANES == CpuKvCache.PANEL) {
      multiply(rows, d, vectors, queries, queryRow, keys, panelRow, panelBytes, out, outRow);
      return;
    }
    int panelVectors = CpuKvCache.PANEL / LANES;
    for (int v = 0; v < vectors; v += panelVectors) {
      int count = Math.min(panelVectors, vectors - v);
      long panel = keys + v / panelVectors * panelBytes;
      long to = out + (long) v * BYTES;
      multiply(rows, d, count, queries, queryRow, panel, panelRow, BYTES, to, outRow);
    }
  }

  /**
   * {@code out[rows][d] = weights[rows][slots] . values[slots][d]}, the first {@code slots} slots.
   *
   * @param rows 1 to 6
   * @param values a V block in fp32
   */
  static void values(
      int rows, int d, int slots, long weights, long weightsRow, long values, long out) {
    int row = d * Float.BYTES;
    multiply(rows, slots, d / LANES, weights, weightsRow, values, row, BYTES, out, row);
  }

  private static void multiply(
      int rows,
      int n,
      int vectors,
      long a,
      long aRow,
      long b,
      int bRow,
      long bColumn,
      long c,
      long cRow) {
    for (int v = 0; v < vectors; ) {
      int columns = Math.min(MAX_COLUMNS, Integer.highestOneBit(vectors - v));
      long bAt = b + v * bColumn;
      long cAt = c + (long) v * BYTES;
      switch (columns) {
        case 4 -> four(rows, n, a, aRow, bAt, bRow, bColumn, cAt, cRow);
        case 2 -> two(rows, n, a, aRow, bAt, bRow, bColumn, cAt, cRow);
        default -> one(rows, n, a, aRow, bAt, bRow, bColumn, cAt, cRow);
      }
      v += columns;
    }
  }

  private static void four(
      int rows, int n, long a, long aRow, long b, int bRow, long bColumn, long c, long cRow) {
    switch (rows) {
      case 5, 6 -> Tile6.x4(rows, n, a, aRow, b, bRow, bColumn, c, cRow);
      case 3, 4 -> Tile4.x4(rows, n, a, aRow, b, bRow, bColumn, c, cRow);
      case 2 -> Tile2.x4(n, a, aRow, b, bRow, bColumn, c, cRow);
      default -> Tile1.x4(n, a, b, bRow, bColumn, c);
    }
  }

  private static void two(
      int rows, int n, long a, long aRow, long b, int bRow, long bColumn, long c, long cRow) {
    switch (rows) {
      case 5, 6 -> Tile6.x2(rows, n, a, aRow, b, bRow, bColumn, c, cRow);
      case 3, 4 -> Tile4.x2(rows, n, a, aRow, b, bRow, bColumn, c, cRow);
      case 2 -> Tile2.x2(n, a, aRow, b, bRow, bColumn, c, cRow);
      default -> Tile1.x2(n, a, b, bRow, bColumn, c);
    }
  }

  private static void one(
      int rows, int n, long a, long aRow, long b, int bRow, long bColumn, long c, long cRow) {
    switch (rows) {
      case 5, 6 -> Tile6.x1(rows, n, a, aRow, b, bRow, bColumn, c, cRow);
      case 3, 4 -> Tile4.x1(rows, n, a, aRow, b, bRow, bColumn, c, cRow);
      case 2 -> Tile2.x1(n, a, aRow, b, bRow, bColumn, c, cRow);
      default -> Tile1.x1(n, a, b, bRow, bColumn, c);
    }
  }
}
