package org.chunkllama.cpu;

import jdk.incubator.vector.VectorOperators;

/** Takes the result of a row of tiles out of scratch memory. */
final class StateWriter {
  private StateWriter() {}

  /** {@code out[0, dim) = o / l}, zeros for a row that saw nothing. */
  static void output(AttentionScratch scratch, int row, int d, long out, int dim) {
    float l = sum(scratch, row);
    Rows.scaledCopy(scratch.output(row), dim, l == 0 ? 0 : 1 / l, out, dim);
  }

  /** Writes o, m and l to the state at {@code state}. */
  static void state(AttentionScratch scratch, int row, int d, long state) {
    Rows.scaledCopy(scratch.output(row), d, 1, state, d);
    long tail = state + (long) d * Float.BYTES;
    NativeMemory.set(tail, scratch.references[row]);
    NativeMemory.set(tail + Float.BYTES, sum(scratch, row));
  }

  private static float sum(AttentionScratch scratch, int row) {
    return NativeMemory.load(scratch.sum(row)).reduceLanes(VectorOperators.ADD);
  }
}
