package org.chunkllama.cpu;

import java.lang.foreign.Arena;

/** One worker's memory for a block of rows of tiles, fp32, 64-byte aligned. */
final class AttentionScratch implements AutoCloseable {
  /** Rows of a block at most: with more, K and V of a chunk leave the nearest cache too early. */
  private static final int ROWS = 96;

  /** Rows it has room for. */
  final int rows;

  final int scoreRowBytes;

  /** {@code [rows][lanes]} sums of weights. */
  final long sums;

  /** {@code [6][d]} what a tile of rows gets from one chunk. */
  final long tile;

  /** {@code [c][d]} K or V, widened; outside of chunks the sum of a merge. */
  final long wide;

  /** {@code [rows]} reference of each row's exponents, in units of log 2. */
  final float[] references;

  /** {@code [rows]} tokens of the segment that the row sees. */
  final int[] visible;

  private final Arena arena = Arena.ofShared();
  private final int rowBytes;

  /** {@code [rows][d]} queries times scale. */
  private final long queries;

  /** {@code [rows][c]} scores, then weights. */
  private final long scores;

  /** {@code [rows][d]} weighted values. */
  private final long outputs;

  /**
   * @param group query heads of a KV head; a block has at least one row of the plan
   */
  AttentionScratch(int group, int chunkTokens, int d) {
    rows = Math.max(ROWS, group);
    rowBytes = d * Float.BYTES;
    scoreRowBytes = chunkTokens * Float.BYTES;
    queries = allocate((long) rows * rowBytes);
    scores = allocate((long) rows * scoreRowBytes);
    outputs = allocate((long) rows * rowBytes);
    sums = allocate((long) rows * VectorShape.LANES * Float.BYTES);
    tile = allocate(6L * rowBytes);
    wide = allocate((long) chunkTokens * rowBytes);
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
