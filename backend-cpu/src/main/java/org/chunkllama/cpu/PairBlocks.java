package org.chunkllama.cpu;

import static org.chunkllama.cpu.NativeMemory.ALL;
import static org.chunkllama.cpu.NativeMemory.MASK;
import static org.chunkllama.cpu.NativeMemory.ORDER;
import static org.chunkllama.cpu.VectorShape.INTS;

import jdk.incubator.vector.IntVector;

/**
 * Copies pairs of K and V from chunks to where a product of oneDNN reads many chunks as one matrix:
 * {@code [outputs / 64][inputs / 2][64][2]}. 16 pairs that lie together in a chunk do so there,
 * too.
 */
final class PairBlocks {
  private static final int PIECE = 4 * CpuKvCache.PANEL; // bytes of 16 pairs
  private static final int LINE = 4 * PIECE; // of 64 pairs
  private static final int STEP = 4 * VectorShape.LANES;

  private PairBlocks() {}

  /** Inputs of a product with {@code inputs}: what lies beyond must be zeros. */
  static int paddedInputs(int inputs) {
    return Math.ceilDiv(inputs, 32) * 32;
  }

  /**
   * K of a chunk's first {@code panels} panels.
   *
   * @param block the chunk's K
   * @param token of the chunk's first, in the matrix; a multiple of 16
   */
  static void keys(long block, int panels, int d, long matrix, int token) {
    long panelBytes = (long) d / 2 * PIECE;
    long blockBytes = (long) paddedInputs(d) / 2 * LINE;
    for (int panel = 0; panel < panels; panel++) {
      int piece = token / CpuKvCache.PANEL + panel;
      long to = matrix + piece / 4 * blockBytes + piece % 4 * (long) PIECE;
      pieces(block + panel * panelBytes, PIECE, d / 2, to, LINE);
    }
  }

  /**
   * V of a chunk's first {@code slots} slots. The other slot of a last odd one becomes 0.
   *
   * @param block the chunk's V
   * @param token of the chunk's first, in the matrix; even
   * @param tokens inputs of the matrix
   */
  static void values(long block, int slots, int d, long matrix, int token, int tokens) {
    int row = 4 * d;
    int lines = (slots + 1) / 2;
    for (int at = 0; at < row; at += PIECE) {
      long to = value(matrix, at, token / 2, tokens);
      pieces(block + at, row, lines, to, LINE);
      if ((slots & 1) == 1) {
        keepLow(to + (lines - 1L) * LINE);
      }
    }
  }

  /** Zeros for tokens [first, tokens) of V; {@code first} is even. */
  static void clearValues(int d, long matrix, int first, int tokens) {
    for (int at = 0; at < 4 * d; at += PIECE) {
      long to = value(matrix, at, first / 2, tokens);
      for (int line = first / 2; line < tokens / 2; line++, to += LINE) {
        for (int i = 0; i < PIECE; i += STEP) {
          IntVector.zero(INTS).intoMemorySegment(ALL, (to + i) & MASK, ORDER);
        }
      }
    }
  }

  /** Where the pairs of a line lie that begin {@code at} bytes into it. */
  private static long value(long matrix, int at, int line, int tokens) {
    return matrix + ((long) (at / LINE) * (tokens / 2) + line) * LINE + at % LINE;
  }

  private static void pieces(long from, int fromStep, int count, long to, int toStep) {
    for (int n = 0; n < count; n++) {
      long source = (from + (long) n * fromStep) & MASK;
      long target = (to + (long) n * toStep) & MASK;
      for (int i = 0; i < PIECE; i += STEP) {
        IntVector.fromMemorySegment(INTS, ALL, source + i, ORDER)
            .intoMemorySegment(ALL, target + i, ORDER);
      }
    }
  }

  private static void keepLow(long piece) {
    for (int i = 0; i < PIECE; i += STEP) {
      long at = (piece + i) & MASK;
      IntVector.fromMemorySegment(INTS, ALL, at, ORDER)
          .and(0xffff)
          .intoMemorySegment(ALL, at, ORDER);
    }
  }
}
