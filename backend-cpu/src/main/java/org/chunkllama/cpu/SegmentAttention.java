package org.chunkllama.cpu;

import java.util.Arrays;
import org.chunkllama.plan.AttentionPlan;

/**
 * One worker's way through a piece of work: a segment of the plan for one KV head. The query heads
 * of that KV head are rows of the same tiles, so many rows (chunk first) and one row (sequence
 * first) go the same way:
 *
 * <ol>
 *   <li>the queries of a block of rows, times scale, are gathered side by side;
 *   <li>for each chunk: scores of all rows and weights by {@link OnlineSoftmax}, then weighted
 *       values; K is in the nearest cache during the first, V during the second;
 *   <li>outputs or attention states are written.
 * </ol>
 *
 * <p>A row sees the first {@code visible[row]} tokens of the segment. Scores of other slots are
 * masked, and the sum over values ends with the last slot that a row of the tile sees: what is in
 * unwritten slots never matters.
 */
final class SegmentAttention {
  /** Scores are in units of log 2. */
  private static final double LOG2_E = 1.4426950408889634;

  private final AttentionCall call;
  private final AttentionScratch scratch;
  private final int chunkTokens;
  private final int d;

  /** Rows of tiles in this block: rows of the plan times query heads of the group. */
  private int rows;

  SegmentAttention(AttentionCall call, AttentionScratch scratch, int chunkTokens, int d) {
    this.call = call;
    this.scratch = scratch;
    this.chunkTokens = chunkTokens;
    this.d = d;
  }

  /** Does all rows of a segment for one KV head. */
  void run(int segment, int kvHead) {
    int all = call.plan().segmentRows[segment];
    int blocks = Math.ceilDiv(all, Math.max(1, scratch.rows / call.group()));
    for (int block = 0; block < blocks; block++) {
      int first = (int) ((long) all * block / blocks);
      int end = (int) ((long) all * (block + 1) / blocks);
      block(segment, kvHead, first, end - first);
    }
  }

  /** Does rows [first, first + count) of the segment. */
  private void block(int segment, int kvHead, int first, int count) {
    AttentionPlan plan = call.plan();
    int firstRow = plan.segmentFirstRow[segment] + first;
    gather(firstRow, count, kvHead);
    int most = look(segment, firstRow, count);
    int chunks = Math.ceilDiv(most, chunkTokens);
    for (int i = 0; i < chunks; i++) {
      int chunk = plan.chunkIds[plan.segmentChunkStart[segment] + i];
      chunk(call.cache().keys(call.layer, chunk, kvHead), i * chunkTokens, most);
    }
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

  /** Takes in the chunk whose first token is the segment's {@code start}th. */
  private void chunk(long keyBlock, int start, int most) {
    CpuKvCache cache = call.cache();
    int slots = Math.min(chunkTokens, most - start);
    long keys = keyBlock;
    if (cache.paired()) {
      int panels = Math.ceilDiv(slots, CpuKvCache.PANEL);
      keys = scratch.wide;
      KvWidener.widen(cache.layout().type(), panels * d / 2, CpuKvCache.PANEL, keyBlock, keys);
    }
    for (int i = 0, height; i < rows; i += height) {
      height = Tiles.height(rows - i);
      weights(i, height, seen(i, height, start), start, keys);
    }
    long values = keyBlock + cache.blockBytes();
    if (cache.paired()) {
      KvWidener.widen(cache.layout().type(), Math.ceilDiv(slots, 2), d, values, scratch.wide);
      values = scratch.wide;
    }
    for (int i = 0, height; i < rows; i += height) {
      height = Tiles.height(rows - i);
      values(i, height, seen(i, height, start), start == 0, values);
    }
  }

  private void values(int first, int height, int slots, boolean fresh, long values) {
    long weights = scratch.score(first);
    long out = scratch.output(first);
    if (fresh) {
      Tiles.values(height, d, slots, weights, scratch.scoreRowBytes, values, out);
    } else if (slots > 0) {
      Tiles.values(height, d, slots, weights, scratch.scoreRowBytes, values, scratch.tile);
      Rows.add(scratch.tile, out, height * d);
    }
  }

  /** Slots of the chunk that some row of the tile sees. */
  private int seen(int first, int height, int start) {
    int most = 0;
    for (int i = first; i < first + height; i++) {
      most = Math.max(most, scratch.visible[i]);
    }
    return Math.clamp(most - start, 0, chunkTokens);
  }

  private void weights(int first, int height, int slots, int start, long keys) {
    if (slots == 0) {
      return;
    }
    int vectors = Math.ceilDiv(slots, VectorShape.LANES);
    Tiles.scores(
        height,
        d,
        vectors,
        scratch.query(first),
        keys,
        scratch.score(first),
        scratch.scoreRowBytes);
    for (int i = first; i < first + height; i++) {
      long scores = scratch.score(i);
      int seen = scratch.visible[i] - start;
      if (seen < vectors * VectorShape.LANES) {
        OnlineSoftmax.mask(scores, Math.max(0, seen), vectors);
      }
      float before = scratch.references[i];
      float reference = OnlineSoftmax.reference(scores, vectors, before);
      if (reference != before) {
        raise(i, before, reference);
      }
      OnlineSoftmax.weigh(scores, vectors, reference, scratch.sum(i));
    }
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
