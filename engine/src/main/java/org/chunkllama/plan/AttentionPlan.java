package org.chunkllama.plan;

import java.util.Arrays;

/**
 * What the attention of one step reads and writes, as flat arrays: built once per step by {@link
 * AttentionPlanner}, read by every layer. Plain data with public arrays (only the first so many
 * entries count) because kernels index them in hot loops; only the planner writes.
 *
 * <p><b>Rows.</b> One per token computed in this step. Rows are in the prefix tree's depth-first
 * order of sequences, and by position inside a sequence, so all rows below a tree node are one
 * contiguous range. A decoding sequence has one row, a slice of prefill several.
 *
 * <p><b>Segments.</b> A piece of a run of consecutive chunks times a range of rows, all of which
 * see its first token. Row r sees the segment's tokens at positions up to {@code rowPosition[r]}
 * (so prefill is causal, and full visibility costs nothing). A segment with two or more rows is
 * worked on <i>chunk first</i>: one pass over its K and V for all its rows; with one row
 * <i>sequence first</i>. Segments together cover, for each row, every token up to its position
 * exactly once.
 *
 * <p><b>Partial states.</b> A row covered by one segment takes its output from it directly ({@code
 * segmentPartial = -1} only if that holds for all rows of the segment). Otherwise row i of segment
 * s leaves an attention state (m, l, o) in slot {@code segmentPartial[s] + i}, and {@code
 * rowPartial[rowPartialStart[r] .. rowPartialStart[r + 1])} lists the slots to merge for row r
 * (empty for rows written directly).
 */
public final class AttentionPlan {
  /** Tokens per chunk. */
  public final int chunkTokens;

  /** Query rows in this step. */
  public int rows;

  /** {@code [rows]} position of the row's token in its sequence. */
  public int[] rowPosition = new int[64];

  /** {@code [rows]} chunk id that takes the row's K and V. */
  public int[] rowChunk = new int[64];

  /** {@code [rows]} slot in that chunk: position % chunkTokens. */
  public int[] rowSlot = new int[64];

  /** Segments in this step. */
  public int segments;

  /** {@code [segments]} first row. */
  public int[] segmentFirstRow = new int[64];

  /** {@code [segments]} number of rows, 1 or more. */
  public int[] segmentRows = new int[64];

  /** {@code [segments]} position of the first token; a multiple of chunkTokens. */
  public int[] segmentFirstToken = new int[64];

  /** {@code [segments]} number of tokens, 1 or more, up to what its last row sees. */
  public int[] segmentTokens = new int[64];

  /**
   * {@code [segments]} where the segment's chunk ids begin in {@link #chunkIds}; chunk i holds
   * tokens from firstToken + i * chunkTokens.
   */
  public int[] segmentChunkStart = new int[64];

  /** {@code [segments]} slot of the partial state of the first row, or -1 for direct output. */
  public int[] segmentPartial = new int[64];

  /** Chunk ids of all segments' runs. */
  public int[] chunkIds = new int[256];

  /** Entries of {@link #chunkIds} in use. */
  public int chunkIdCount;

  /** Slots for partial states. */
  public int partials;

  /** {@code [rows + 1]} where the row's slots begin in {@link #rowPartial}. */
  public int[] rowPartialStart = new int[65];

  /** {@code [partials]} slots, by row. */
  public int[] rowPartial = new int[64];

  /**
   * Changes whenever anything but lengths and positions changed since the last step (the paper's
   * lazy context copy, section 3.3).
   */
  public long version;

  /** Changes whenever anything changed since the last step, lengths and positions too. */
  public long revision;

  public AttentionPlan(int chunkTokens) {
    this.chunkTokens = chunkTokens;
  }

  /** Makes room for {@code n} rows. */
  public void ensureRows(int n) {
    if (n > rowPosition.length) {
      int size = Math.max(n, 2 * rowPosition.length);
      rowPosition = Arrays.copyOf(rowPosition, size);
      rowChunk = Arrays.copyOf(rowChunk, size);
      rowSlot = Arrays.copyOf(rowSlot, size);
      rowPartialStart = Arrays.copyOf(rowPartialStart, size + 1);
    }
  }

  /** Makes room for {@code n} segments. */
  public void ensureSegments(int n) {
    if (n > segmentFirstRow.length) {
      int size = Math.max(n, 2 * segmentFirstRow.length);
      segmentFirstRow = Arrays.copyOf(segmentFirstRow, size);
      segmentRows = Arrays.copyOf(segmentRows, size);
      segmentFirstToken = Arrays.copyOf(segmentFirstToken, size);
      segmentTokens = Arrays.copyOf(segmentTokens, size);
      segmentChunkStart = Arrays.copyOf(segmentChunkStart, size);
      segmentPartial = Arrays.copyOf(segmentPartial, size);
    }
  }

  /** Makes room for {@code n} chunk ids. */
  public void ensureChunkIds(int n) {
    if (n > chunkIds.length) {
      chunkIds = Arrays.copyOf(chunkIds, Math.max(n, 2 * chunkIds.length));
    }
  }

  /** Makes room for {@code n} partial states. */
  public void ensurePartials(int n) {
    if (n > rowPartial.length) {
      rowPartial = Arrays.copyOf(rowPartial, Math.max(n, 2 * rowPartial.length));
    }
  }
}
