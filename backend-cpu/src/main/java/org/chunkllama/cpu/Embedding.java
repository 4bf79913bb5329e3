package org.chunkllama.cpu;

import org.jspecify.annotations.Nullable;

/** Looks up rows of a table. */
final class Embedding implements Workers.Task {
  private static final int ROWS_PER_TASK = 16;

  private final Workers workers;
  private final float[][] scratch;
  private @Nullable CpuMatrix table;
  private @Nullable CpuTensor out;
  private int[] tokens = {};
  private int count;

  Embedding(Workers workers) {
    this.workers = workers;
    this.scratch = new float[workers.count()][0];
  }

  /** As {@link org.chunkllama.spi.Backend#embed}. */
  void look(CpuMatrix table, int[] tokens, int count, CpuTensor out) {
    this.table = table;
    this.out = out;
    this.tokens = tokens;
    this.count = count;
    workers.run(Math.ceilDiv(count, ROWS_PER_TASK), this);
  }

  @Override
  public void run(int index, int worker) {
    CpuMatrix from = table;
    CpuTensor to = out;
    if (from == null || to == null) {
      return;
    }
    if (scratch[worker].length < from.inputs()) {
      scratch[worker] = new float[from.inputs()];
    }
    int end = Math.min(count, (index + 1) * ROWS_PER_TASK);
    for (int i = index * ROWS_PER_TASK; i < end; i++) {
      from.row(tokens[i], scratch[worker], 0);
      to.write(i, scratch[worker], 0);
    }
  }
}
