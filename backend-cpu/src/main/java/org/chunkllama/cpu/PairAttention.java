package org.chunkllama.cpu;

import java.lang.foreign.Arena;

/**
 * Attention of many rows over KV in bf16: queries and weights are rounded to bf16, products are
 * oneDNN's with sums in fp32, some chunks at a time. For a shared prefix and for prompts, where
 * arithmetic and not memory is the limit.
 */
final class PairAttention extends SegmentAttention implements AutoCloseable {
  /** Rows of a block at most; scores, K and V of a step stay in the second cache. */
  static final int ROWS = 192;

  private final AttentionProducts products;
  private final int worker;
  private final int step; // tokens
  private final Arena arena = Arena.ofShared();
  private final long queries; // [rows][d]
  private final long weights; // [rows][tokens]
  private final long keys;
  private final long values;

  /**
   * @param scratch of {@link AttentionProducts#TOKENS} columns
   * @param worker whose it is
   */
  PairAttention(
      AttentionCall call,
      AttentionScratch scratch,
      AttentionProducts products,
      int chunkTokens,
      int d,
      int worker) {
    super(call, scratch, chunkTokens, d);
    this.products = products;
    this.worker = worker;
    this.step = step(chunkTokens);
    int padded = Math.ceilDiv(d, 64) * 64;
    queries = allocate(2L * scratch.rows * d);
    weights = allocate(2L * scratch.rows * AttentionProducts.TOKENS);
    // Zeros where d is padded.
    keys = allocate(2L * AttentionProducts.TOKENS * PairBlocks.paddedInputs(d));
    values = allocate(2L * AttentionProducts.TOKENS * padded);
  }

  /** Tokens taken in at once: whole chunks. */
  static int step(int chunkTokens) {
    return AttentionProducts.TOKENS / chunkTokens * chunkTokens;
  }

  private long allocate(long bytes) {
    return arena.allocate(bytes, 64).address();
  }

  @Override
  void tokens(int segment, int kvHead, int most) {
    int padded = AttentionProducts.roundRows(rows);
    Narrow.bfloats(scratch.query(0), rows * d, queries);
    Rows.clear(scratch.output(0), rows * d);
    for (int start = 0; start < most; start += step) {
      int count = Math.min(step, most - start);
      int tokens = AttentionProducts.roundTokens(count);
      gatherKeys(segment, kvHead, start, count);
      products.scores(padded, tokens).execute(worker, queries, keys, scratch.score(0));
      for (int row = 0; row < rows; row++) {
        weigh(row, start, tokens / VectorShape.LANES);
        Narrow.bfloats(scratch.score(row), tokens, weights + 2L * row * tokens);
      }
      gatherValues(segment, kvHead, start, count, tokens);
      products.values(padded, tokens).execute(worker, weights, values, scratch.output(0));
    }
  }

  private void gatherKeys(int segment, int kvHead, int start, int count) {
    for (int at = 0; at < count; at += chunkTokens) {
      int slots = Math.min(chunkTokens, count - at);
      long block = keys(segment, (start + at) / chunkTokens, kvHead);
      PairBlocks.keys(block, Math.ceilDiv(slots, CpuKvCache.PANEL), d, keys, at);
    }
  }

  private void gatherValues(int segment, int kvHead, int start, int count, int tokens) {
    long offset = call.cache().blockBytes();
    for (int at = 0; at < count; at += chunkTokens) {
      int slots = Math.min(chunkTokens, count - at);
      long block = keys(segment, (start + at) / chunkTokens, kvHead) + offset;
      PairBlocks.values(block, slots, d, values, at, tokens);
    }
    PairBlocks.clearValues(d, values, count + (count & 1), tokens);
  }

  @Override
  public void close() {
    arena.close();
  }
}
