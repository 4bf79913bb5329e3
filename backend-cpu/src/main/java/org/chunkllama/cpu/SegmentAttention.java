package org.chunkllama.cpu;

import java.util.Arrays;
import org.chunkllama.plan.AttentionPlan;

/**
 * One worker's way through a piece of work: a segment of the plan for one KV head. The query heads
 * of that KV head are rows of the same products, so many rows (chunk first) and one row (sequence
 * first) go the same way:
 *
 * <ol>
 *   <li>the queries of a block of rows, times scale, are gathered side by side;
 *   <li>tokens are taken in, some at a time: scores, weights by {@link OnlineSoftmax}, weighted
 *       values;
 *   <li>outputs or attention states are written.
 * </ol>
 *
 * <p>A row sees the first {@code visible[row]} tokens of the segment. Scores of other slots are
 * masked: what is in unwritten slots never matters.
 */
abstract sealed class SegmentAttention permits TileAttention, PairAttention {
  /** Scores are in units of log 2. */
  private static final double LOG2_E = 1.4426950408889634;

  final AttentionCall call;
  final AttentionScratch scratch;
  final int chunkTokens;
  final int d;

  /** Rows of this block: rows of the plan times query heads of the group. */
  int rows;

  SegmentAttention(AttentionCall call, AttentionScratch scratch, int chunkTokens, int d) {
    this.call = call;
    this.scratch = scratch;
    this.chunkTokens = chunkTokens;
    this.d = d;
  }

  /** Rows of the plan that go together, of a segment with so many. */
  static int blocks(int segmentRows, int group, int most) {
    return Math.ceilDiv(segmentRows, Math.max(1, most / group));
  }

  /** Where a block begins; the next one's begin is its end. */
  static int begin(int segmentRows, int blocks, int block) {
    return (int) ((long) segmentRows * block / blocks);
  }

  /** Does all rows of a segment for one KV head. */
  final void run(int segment, int kvHead) {
    int all = call.plan().segmentRows[segment];
    int blocks = blocks(all, call.group(), scratch.rows);
    for (int block = 0; block < blocks; block++) {
      int first = begin(all, blocks, block);
      block(segment, kvHead, first, begin(all, blocks, block + 1) - first);
    }
  }

  /** Takes in the first {@code most} tokens of the segment. */
  abstract void tokens(int segment, int kvHead, int most);

  /** Does rows [first, first + count) of the segment. */
  private void block(int segment, int kvHead, int first, int count) {
    AttentionPlan plan = call.plan();
    int firstRow = plan.segmentFirstRow[segment] + first;
    gather(firstRow, count, kvHead);
    tokens(segment, kvHead, look(segment, firstRow, count));
    int partial = plan.segmentPartial[segment];
    for (int i = 0; i < rows; i++) {
      int head = kvHead * call.group() + i % call.group();
      if (partial < 0) {
        StateWriter.output(
            scratch,
            i,
            d,
            call.out(firstRow + i / call.group(), head),
            call.cache().layout().headDim());
      } else {
        StateWriter.state(scratch, i, d, call.state(partial + first + i / call.group(), head));
      }
    }
  }

  /** Copies the block's queries, scaled, and empties its states. */
  private void gather(int firstRow, int count, int kvHead) {
    int group = call.group();
    int dim = call.cache().layout().headDim();
    rows = count * group;
    float factor = (float) (call.scale * LOG2_E);
    for (int i = 0; i < rows; i++) {
      long from = call.query(firstRow + i / group, kvHead * group + i % group);
      Rows.scaledCopy(from, dim, factor, scratch.query(i), d);
    }
    Rows.clear(scratch.sums, rows * VectorShape.LANES);
    Arrays.fill(scratch.references, 0, rows, OnlineSoftmax.NOTHING);
  }

  /** Fills {@code visible}; returns the most. */
  private int look(int segment, int firstRow, int count) {
    AttentionPlan plan = call.plan();
    int group = call.group();
    int most = 0;
    for (int i = 0; i < count; i++) {
      int seen = plan.rowPosition[firstRow + i] + 1 - plan.segmentFirstToken[segment];
      seen = Math.clamp(seen, 0, plan.segmentTokens[segment]);
      Arrays.fill(scratch.visible, i * group, (i + 1) * group, seen);
      most = Math.max(most, seen);
    }
    return most;
  }

  /** Address of K of the segment's {@code index}th chunk. */
  final long keys(int segment, int index, int kvHead) {
    AttentionPlan plan = call.plan();
    int chunk = plan.chunkIds[plan.segmentChunkStart[segment] + index];
    return call.cache().keys(call.layer, chunk, kvHead);
  }

  /** Turns a row's scores of tokens from {@code start} on into weights. */
  final void weigh(int row, int start, int vectors) {
    long scores = scratch.score(row);
    int seen = scratch.visible[row] - start;
    if (seen < vectors * VectorShape.LANES) {
      OnlineSoftmax.mask(scores, Math.max(0, seen), vectors);
    }
    float before = scratch.references[row];
    float reference = OnlineSoftmax.reference(scores, vectors, before);
    if (reference != before) {
      raise(row, before, reference);
    }
    OnlineSoftmax.weigh(scores, vectors, reference, scratch.sum(row));
  }

  /** Moves a row's state to a higher reference. */
  private void raise(int row, float before, float reference) {
    scratch.references[row] = reference;
    if (before != OnlineSoftmax.NOTHING) {
      float factor = (float) Math.pow(2, before - reference);
      Rows.scale(scratch.output(row), d, factor);
      Rows.scale(scratch.sum(row), VectorShape.LANES, factor);
    }
  }
}
