package org.chunkllama.cpu;

/**
 * Attention in fp32 by tiles of the Vector API, chunk by chunk: K is in the nearest cache during
 * the scores, V during the weighted values. The sum over values ends with the last slot that a row
 * of the tile sees.
 */
final class TileAttention extends SegmentAttention {
  /** Rows of a block at most: with more, K and V of a chunk leave the nearest cache too early. */
  static final int ROWS = 96;

  TileAttention(AttentionCall call, AttentionScratch scratch, int chunkTokens, int d) {
    super(call, scratch, chunkTokens, d);
  }

  @Override
  void tokens(int segment, int kvHead, int most) {
    int chunks = Math.ceilDiv(most, chunkTokens);
    for (int i = 0; i < chunks; i++) {
      chunk(keys(segment, i, kvHead), i * chunkTokens, most);
    }
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
      weigh(i, start, vectors);
    }
  }
}
