package org.chunkllama.cpu;

import java.lang.foreign.Arena;

/** One worker's memory for a block of rows, fp32, 64-byte aligned. */
final class AttentionScratch implements AutoCloseable {
  /** Rows it has room for. */
  final int rows;

  final int scoreRowBytes;

  /** {@code [rows][lanes]} sums of weights. */
  final long sums;

  /** {@code [6][d]} what a tile of rows gets from one chunk. */
  final long tile;

  /** {@code [columns][d]} K or V, widened; outside of chunks the sum of a merge. */
  final long wide;

  /** {@code [rows]} reference of each row's exponents, in units of log 2. */
  final float[] references;

  /** {@code [rows]} tokens of the segment that the row sees. */
  final int[] visible;

  private final Arena arena = Arena.ofShared();
  private final int rowBytes;

  /** {@code [rows][d]} queries times scale. */
  private final long queries;

  /** {@code [rows][columns]} scores, then weights. */
  private final long scores;

  /** {@code [rows][d]} weighted values. */
  private final long outputs;

  /**
   * @param rows of a block at most
   * @param columns tokens scored at once
   */
  AttentionScratch(int rows, int columns, int d) {
    this.rows = rows;
    rowBytes = d * Float.BYTES;
    scoreRowBytes = columns * Float.BYTES;
    queries = allocate((long) rows * rowBytes);
    scores = allocate((long) rows * scoreRowBytes);
    outputs = allocate((long) rows * rowBytes);
    sums = allocate((long) rows * VectorShape.LANES * Float.BYTES);
    tile = allocate(6L * rowBytes);
    wide = allocate((long) columns * rowBytes);
    references = new float[rows];
    visible = new int[rows];
  }

  private long allocate(long bytes) {
    return arena.allocate(bytes, 64).address();
  }

  long query(int row) {
    return queries + (long) row * rowBytes;
  }

  long score(int row) {
    return scores + (long) row * scoreRowBytes;
  }

  long output(int row) {
    return outputs + (long) row * rowBytes;
  }

  /** The row's vector of partial sums. */
  long sum(int row) {
    return sums + (long) row * VectorShape.LANES * Float.BYTES;
  }

  @Override
  public void close() {
    arena.close();
  }
}
