package org.chunkllama.plan;

import java.util.Arrays;

/** Runs of consecutive chunks seen by the same rows, before they are cut into segments. */
final class Runs {
  int count;

  /** {@code [count]} first row. */
  int[] firstRow = new int[64];

  /** {@code [count]} rows. */
  int[] rows = new int[64];

  /** {@code [count]} a sequence on whose path the chunks lie. */
  int[] sequence = new int[64];

  /** {@code [count]} index of the first chunk. */
  int[] fromChunk = new int[64];

  /** {@code [count]} index after the last chunk. */
  int[] toChunk = new int[64];

  /**
   * {@code [count]} last chunk whose first token all rows see; a cut further right would leave rows
   * out.
   */
  int[] lastCut = new int[64];

  /** {@code [count]} segments it is cut into along its tokens. */
  int[] pieces = new int[64];

  void clear() {
    count = 0;
  }

  void add(int row, int rowCount, int path, int from, int to, int cutLimit) {
    int i = count++;
    if (i == firstRow.length) {
      grow(2 * i);
    }
    firstRow[i] = row;
    rows[i] = rowCount;
    sequence[i] = path;
    fromChunk[i] = from;
    toChunk[i] = to;
    lastCut[i] = cutLimit;
    pieces[i] = 1;
  }

  private void grow(int size) {
    firstRow = Arrays.copyOf(firstRow, size);
    rows = Arrays.copyOf(rows, size);
    sequence = Arrays.copyOf(sequence, size);
    fromChunk = Arrays.copyOf(fromChunk, size);
    toChunk = Arrays.copyOf(toChunk, size);
    lastCut = Arrays.copyOf(lastCut, size);
    pieces = Arrays.copyOf(pieces, size);
  }

  /** Pieces it can be cut into at most. */
  int maxPieces(int run) {
    return lastCut[run] - fromChunk[run] + 1;
  }

  /** First chunk of a piece; of the piece after the last, the end of the run. */
  int pieceStart(int run, int piece) {
    return piece == pieces[run]
        ? toChunk[run]
        : fromChunk[run] + (int) ((long) piece * maxPieces(run) / pieces[run]);
  }
}
