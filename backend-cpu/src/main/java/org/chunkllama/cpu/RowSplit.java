package org.chunkllama.cpu;

/**
 * Splits rows over workers. Few values are not worth waking a thread for: a handover costs about as
 * much as {@value #VALUES_PER_TASK} values.
 */
abstract class RowSplit implements Workers.Task {
  private static final int VALUES_PER_TASK = 8192;
  // Some slack for threads that start late or share their core.
  private static final int TASKS_PER_THREAD = 4;

  private final Workers workers;
  private int rows;
  private int rowsPerTask;

  RowSplit(Workers workers) {
    this.workers = workers;
  }

  /** Calls {@link #rows} for pieces of [0, rows); a row is {@code values} values of work. */
  final void split(int rows, int values) {
    int most = workers.count() * TASKS_PER_THREAD;
    long byWork = Math.max(1, (long) rows * values / VALUES_PER_TASK);
    int tasks = (int) Math.min(Math.min(most, rows), byWork);
    this.rows = rows;
    this.rowsPerTask = tasks == 0 ? 0 : Math.ceilDiv(rows, tasks);
    workers.run(tasks == 0 ? 0 : Math.ceilDiv(rows, rowsPerTask), this);
  }

  @Override
  public final void run(int index, int worker) {
    int first = index * rowsPerTask;
    rows(first, Math.min(rows, first + rowsPerTask));
  }

  /** Works on rows [first, end). */
  abstract void rows(int first, int end);
}
