package org.chunkllama.cpu;

import java.lang.foreign.MemorySegment;

/** Gathers rows of one tensor into another. */
final class RowCopy extends RowSplit {
  private long in;
  private long out;
  private long rowBytes;
  private int[] rows = {};

  RowCopy(Workers workers) {
    super(workers);
  }

  /** As {@link org.chunkllama.spi.Backend#gather}. */
  void gather(CpuTensor in, int[] rows, int count, CpuTensor out) {
    this.in = in.address();
    this.out = out.address();
    this.rowBytes = in.rowBytes();
    this.rows = rows;
    split(count, in.columns());
  }

  @Override
  void rows(int first, int end) {
    for (int i = first; i < end; i++) {
      MemorySegment.copy(
          NativeMemory.ALL,
          in + rows[i] * rowBytes,
          NativeMemory.ALL,
          out + i * rowBytes,
          rowBytes);
    }
  }
}
