package org.chunkllama.plan;

/**
 * Finds the runs of a step: which chunks are read once for several rows, and which once per row.
 *
 * <p>Sequences come in the tree's depth-first order, so the leading chunks that neighbours have in
 * common describe the tree. A node's chunks either become a shared run, or they are left to its
 * children, which then read them with their own: fewer partial states against more reads. Cost: the
 * number of sequences plus, for each, the nodes on its path.
 */
final class RunFinder {
  private final int chunkTokens;
  private final int groupSize;
  private final int kvHeads;
  private final int maxRows;
  private final PlanCosts costs;
  private final Batch batch;
  private final Runs runs;
  private double readTokens; // by all runs
  private double savedTokens; // by all shared runs, against no sharing
  private long states; // of one query head, partial

  RunFinder(int chunkTokens, int groupSize, int kvHeads, PlanCosts costs, Batch batch, Runs runs) {
    this.chunkTokens = chunkTokens;
    this.groupSize = groupSize;
    this.kvHeads = kvHeads;
    this.maxRows = costs.maxRows(groupSize);
    this.costs = costs;
    this.batch = batch;
    this.runs = runs;
  }

  /** Runs of the batch; without {@code sharing} no run has rows of two sequences. */
  void find(boolean sharing) {
    if (!sharing || batch.sequences < 2) {
      findUnshared();
      return;
    }
    runs.clear();
    readTokens = 0;
    savedTokens = 0;
    states = 0;
    batch.findCommon();
    node(0, batch.sequences, 0);
    StepCosts step = costs.step();
    if (savedTokens > 0 && !step.pays(readTokens, savedTokens, kvHeads, states, runs.count)) {
      findUnshared();
    }
  }

  private void findUnshared() {
    runs.clear();
    for (int s = 0; s < batch.sequences; s++) {
      leaf(s, 0);
    }
  }

  /** Sequences [first, end), whose chunks before {@code from} are covered. */
  private void node(int first, int end, int from) {
    if (end - first == 1) {
      leaf(first, from);
      return;
    }
    int to = Integer.MAX_VALUE;
    for (int s = first + 1; s < end; s++) {
      to = Math.min(to, batch.common[s]);
    }
    if (to > from && sharingPays(first, end, from, to)) {
      shared(first, end, from, to);
      from = to;
    }
    for (int child = first; child < end; ) {
      int childEnd = childEnd(child, end, to);
      node(child, childEnd, from);
      child = childEnd;
    }
  }

  /**
   * End of the child that begins with sequence {@code child}, below a node ending at {@code to}.
   */
  private int childEnd(int child, int end, int to) {
    int s = child + 1;
    while (s < end && batch.common[s] > to) {
      s++;
    }
    return s;
  }

  private boolean sharingPays(int first, int end, int from, int to) {
    int readsIfLeft = 0;
    for (int child = first; child < end; ) {
      int childEnd = childEnd(child, end, to);
      readsIfLeft += reads(rows(child, childEnd));
      child = childEnd;
    }
    int rows = rows(first, end);
    int reads = reads(rows);
    double saved = (double) (readsIfLeft - reads) * (to - from) * chunkTokens * costs.reread();
    // The first shared run above a row turns its direct output into a partial state, too.
    double states = (double) rows * groupSize * costs.partial() * (from == 0 ? 2 : 1);
    return saved > states + reads * costs.segment();
  }

  private int rows(int first, int end) {
    return batch.endRow(end - 1) - batch.firstRow[first];
  }

  private int reads(int rows) {
    return Math.ceilDiv(rows, maxRows);
  }

  private void shared(int first, int end, int from, int to) {
    int rows = rows(first, end);
    int blocks = reads(rows);
    double tokens = (double) (to - from) * chunkTokens;
    readTokens += blocks * tokens;
    savedTokens += (readsUnshared(first, end) - blocks) * tokens;
    states += (long) rows * groupSize;
    for (int i = 0; i < blocks; i++) {
      int begin = (int) ((long) rows * i / blocks);
      int stop = (int) ((long) rows * (i + 1) / blocks);
      runs.add(batch.firstRow[first] + begin, stop - begin, first, from, to, to - 1);
    }
  }

  private int readsUnshared(int first, int end) {
    if (rows(first, end) == end - first) { // all decode
      return end - first;
    }
    int reads = 0;
    for (int s = first; s < end; s++) {
      reads += reads(batch.tokens[s]);
    }
    return reads;
  }

  /** The chunks of one sequence alone; a slice of prefill is cut into blocks of rows. */
  private void leaf(int s, int from) {
    int position = batch.firstPosition[s];
    int count = batch.tokens[s];
    int begin = Math.max(0, from * chunkTokens - position); // rows before see none of these chunks
    int blocks = reads(count - begin);
    int size = blocks <= 1 ? count : Math.ceilDiv(Math.ceilDiv(count - begin, blocks), 16) * 16;
    for (int row = begin; row < count; row += size) {
      int rows = Math.min(size, count - row);
      int to = (position + row + rows - 1) / chunkTokens + 1;
      if (to > from) {
        int lastCut = (position + row) / chunkTokens;
        readTokens += position + row + rows - (double) from * chunkTokens;
        states += from > 0 ? (long) rows * groupSize : 0;
        runs.add(batch.firstRow[s] + row, rows, s, from, to, lastCut);
      }
    }
  }
}
