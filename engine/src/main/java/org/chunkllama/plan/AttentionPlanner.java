package org.chunkllama.plan;

import java.util.Arrays;

/**
 * Turns the sequences of a step into an {@link AttentionPlan}.
 *
 * <p><b>Shape.</b> {@link Batch} keeps what was added; {@link RunFinder} decides which chunks are
 * shared (chunk first) and which private (sequence first); {@link RunCutter} cuts runs so that all
 * workers finish together; this class writes the plan.
 *
 * <p><b>Cost.</b> While the same sequences with the same chunks decode token by token, a step only
 * advances positions and lengths: O(rows + segments) and a comparison of chunk ids, no allocation,
 * same {@link AttentionPlan#version}. Otherwise the plan is rebuilt in O(rows + length of all paths
 * in chunks). A step equal to the one before leaves the plan as it is: so a step may be planned
 * ahead as it is expected to be, and planned again, at the cost of comparing, once it is known.
 *
 * <p><b>Never slower than not sharing.</b> A run is shared only where {@link PlanCosts} predicts a
 * gain over letting each row read it, and none if they lose together.
 *
 * <p>Used by one thread.
 */
public final class AttentionPlanner {
  private final int chunkTokens;
  private final boolean chunkFirst;
  private final Batch batch;
  private final Runs runs = new Runs();
  private final RunFinder finder;
  private final RunCutter cutter;
  private final AttentionPlan plan;

  /** {@code [segments]} chunks of the segment, the last one perhaps not full. */
  private int[] segmentChunks = new int[64];

  private boolean open;

  /**
   * A planner with default costs.
   *
   * @param chunkTokens tokens per chunk, 1 or more
   * @param parallelism units that work at once, {@code Backend.parallelism()}, 1 or more
   * @param queryHeads a multiple of kvHeads
   * @param kvHeads 1 or more
   * @param chunkFirst false: sequence-first only, no segment has rows of two sequences
   */
  public AttentionPlanner(
      int chunkTokens, int parallelism, int queryHeads, int kvHeads, boolean chunkFirst) {
    this(chunkTokens, parallelism, queryHeads, kvHeads, chunkFirst, PlanCosts.defaults());
  }

  /** A planner with the costs of a certain kernel. */
  public AttentionPlanner(
      int chunkTokens,
      int parallelism,
      int queryHeads,
      int kvHeads,
      boolean chunkFirst,
      PlanCosts costs) {
    if (chunkTokens < 1 || parallelism < 1 || kvHeads < 1) {
      throw new IllegalArgumentException(
          "chunkTokens %d, parallelism %d and kvHeads %d must be positive"
              .formatted(chunkTokens, parallelism, kvHeads));
    }
    if (queryHeads < kvHeads || queryHeads % kvHeads != 0) {
      throw new IllegalArgumentException(
          "queryHeads %d must be a multiple of kvHeads %d".formatted(queryHeads, kvHeads));
    }
    int groupSize = queryHeads / kvHeads;
    this.chunkTokens = chunkTokens;
    this.chunkFirst = chunkFirst;
    this.batch = new Batch(chunkTokens);
    this.finder = new RunFinder(chunkTokens, groupSize, kvHeads, costs, batch, runs);
    this.cutter = new RunCutter(chunkTokens, parallelism, groupSize, kvHeads, costs, runs);
    this.plan = new AttentionPlan(chunkTokens);
  }

  /** Begins a step: the sequences added before are forgotten. */
  public void begin() {
    batch.begin();
    open = true;
  }

  /**
   * Adds a sequence; call in the prefix tree's depth-first order. Neighbours share chunk i if their
   * ids at i and all before are equal.
   *
   * @param chunkIds the sequence's path, read up to the chunk of the last row; not kept
   * @param firstPosition position of the first row's token, 0 or more
   * @param tokens rows, 1 or more, at consecutive positions
   * @throws IllegalArgumentException if {@code chunkIds} is too short for the positions
   */
  public void add(int[] chunkIds, int firstPosition, int tokens) {
    checkOpen();
    batch.add(chunkIds, firstPosition, tokens);
  }

  /** The plan of the step: the same instance each time, valid until the next {@code finish}. */
  public AttentionPlan finish() {
    checkOpen();
    open = false;
    if (!batch.isSame()) {
      plan.revision++;
      if (batch.sameStructure()) {
        advance();
      } else {
        rebuild();
      }
    }
    batch.setPlanned();
    return plan;
  }

  private void checkOpen() {
    if (!open) {
      throw new IllegalStateException("call begin() first");
    }
  }

  private void advance() {
    for (int s = 0; s < batch.sequences; s++) {
      if (batch.tokens[s] == 1) {
        int row = batch.firstRow[s];
        plan.rowPosition[row] = batch.firstPosition[s];
        plan.rowSlot[row] = batch.firstPosition[s] % chunkTokens;
      }
    }
    for (int i = 0; i < plan.segments; i++) {
      setTokens(i);
    }
  }

  private void rebuild() {
    plan.version++;
    writeRows();
    finder.find(chunkFirst);
    cutter.cut();
    plan.segments = 0;
    plan.chunkIdCount = 0;
    for (int i = 0; i < runs.count; i++) {
      writeRun(cutter.run(i));
    }
    assignPartials();
  }

  private void writeRows() {
    plan.rows = batch.rows;
    plan.ensureRows(batch.rows);
    for (int s = 0; s < batch.sequences; s++) {
      for (int i = 0; i < batch.tokens[s]; i++) {
        int row = batch.firstRow[s] + i;
        int position = batch.firstPosition[s] + i;
        plan.rowPosition[row] = position;
        plan.rowChunk[row] = batch.ids[batch.idStart[s] + position / chunkTokens];
        plan.rowSlot[row] = position % chunkTokens;
      }
    }
  }

  private void writeRun(int run) {
    int from = runs.fromChunk[run];
    int chunks = runs.toChunk[run] - from;
    int idStart = plan.chunkIdCount;
    plan.ensureChunkIds(idStart + chunks);
    int source = batch.idStart[runs.sequence[run]] + from;
    System.arraycopy(batch.ids, source, plan.chunkIds, idStart, chunks);
    plan.chunkIdCount = idStart + chunks;
    for (int piece = 0; piece < runs.pieces[run]; piece++) {
      int start = runs.pieceStart(run, piece);
      int end = runs.pieceStart(run, piece + 1);
      int i = plan.segments++;
      plan.ensureSegments(plan.segments);
      if (i == segmentChunks.length) {
        segmentChunks = Arrays.copyOf(segmentChunks, 2 * i);
      }
      plan.segmentFirstRow[i] = runs.firstRow[run];
      plan.segmentRows[i] = runs.rows[run];
      plan.segmentFirstToken[i] = start * chunkTokens;
      plan.segmentChunkStart[i] = idStart + start - from;
      segmentChunks[i] = end - start;
      setTokens(i);
    }
  }

  /** A segment reaches to the end of its last chunk, or to the last token that a row sees. */
  private void setTokens(int segment) {
    int full = segmentChunks[segment] * chunkTokens;
    int first = plan.segmentFirstToken[segment];
    int row = plan.segmentFirstRow[segment] + plan.segmentRows[segment] - 1;
    int seen = 0;
    for (; seen < full && row >= plan.segmentFirstRow[segment]; row--) {
      seen = Math.max(seen, plan.rowPosition[row] + 1 - first);
    }
    plan.segmentTokens[segment] = Math.min(full, seen);
  }

  private void assignPartials() {
    int[] start = plan.rowPartialStart;
    Arrays.fill(start, 0, plan.rows + 1, 0);
    for (int i = 0; i < plan.segments; i++) {
      countRows(start, i);
    }
    plan.partials = 0;
    for (int i = 0; i < plan.segments; i++) {
      plan.segmentPartial[i] = -1;
      if (anyRowInTwo(i)) {
        plan.segmentPartial[i] = plan.partials;
        plan.partials += plan.segmentRows[i];
      }
    }
    plan.ensurePartials(plan.partials);
    Arrays.fill(start, 0, plan.rows + 1, 0);
    for (int i = 0; i < plan.segments; i++) {
      if (plan.segmentPartial[i] >= 0) {
        countRows(start, i);
      }
    }
    listSlots(start);
  }

  /** Adds one to {@code counts[row + 1]} for each row of the segment. */
  private void countRows(int[] counts, int segment) {
    int first = plan.segmentFirstRow[segment];
    for (int row = first; row < first + plan.segmentRows[segment]; row++) {
      counts[row + 1]++;
    }
  }

  private boolean anyRowInTwo(int segment) {
    int first = plan.segmentFirstRow[segment];
    for (int row = first; row < first + plan.segmentRows[segment]; row++) {
      if (plan.rowPartialStart[row + 1] > 1) {
        return true;
      }
    }
    return false;
  }

  /** Counting sort of the slots by row; {@code start[row + 1]} holds the row's count. */
  private void listSlots(int[] start) {
    for (int row = 0; row < plan.rows; row++) {
      start[row + 1] += start[row];
    }
    for (int i = plan.segments - 1; i >= 0; i--) {
      int slot = plan.segmentPartial[i];
      if (slot >= 0) {
        for (int k = 0; k < plan.segmentRows[i]; k++) {
          // From the back, so that start[row + 1] becomes the row's own begin...
          plan.rowPartial[--start[plan.segmentFirstRow[i] + k + 1]] = slot + k;
        }
      }
    }
    // ...one entry too far right.
    System.arraycopy(start, 1, start, 0, plan.rows);
    start[plan.rows] = plan.partials;
  }
}
