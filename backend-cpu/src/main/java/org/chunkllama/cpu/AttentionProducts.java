package org.chunkllama.cpu;

import org.jspecify.annotations.Nullable;

/**
 * The two products of attention in bf16 by oneDNN, compiled per number of rows and tokens. Weights
 * lie as {@link OneDnn#PAIRS_OF_64} says.
 */
final class AttentionProducts implements AutoCloseable {
  /** Tokens taken in at once, at most. */
  static final int TOKENS = 256;

  /** Tokens of a product are a multiple of this. */
  static final int TOKEN_GRAIN = 64;

  /** Rows of a product are a multiple of this. */
  static final int ROW_GRAIN = 16;

  private static final int TOKEN_SIZES = TOKENS / TOKEN_GRAIN;

  private final OneDnnEngine engine;
  private final int d;
  private final long[] keyDescs = new long[TOKEN_SIZES];
  private final long[] valueDescs = new long[TOKEN_SIZES];
  private final @Nullable OneDnnMatmul[] scores;
  private final @Nullable OneDnnMatmul[] values;

  /**
   * @param maxRows of a product
   * @param d head dim of the cache's blocks
   */
  AttentionProducts(OneDnnEngine engine, int maxRows, int d) {
    this.engine = engine;
    this.d = d;
    for (int i = 0; i < TOKEN_SIZES; i++) {
      int tokens = (i + 1) * TOKEN_GRAIN;
      keyDescs[i] = engine.orderedDesc(d, tokens, OneDnn.BF16, OneDnn.PAIRS_OF_64);
      valueDescs[i] = engine.orderedDesc(tokens, d, OneDnn.BF16, OneDnn.PAIRS_OF_64);
    }
    int sizes = Math.ceilDiv(maxRows, ROW_GRAIN) * TOKEN_SIZES;
    scores = new OneDnnMatmul[sizes];
    values = new OneDnnMatmul[sizes];
  }

  /** {@code rows}, rounded up to what there are products for. */
  static int roundRows(int rows) {
    return Math.ceilDiv(rows, ROW_GRAIN) * ROW_GRAIN;
  }

  /** {@code tokens}, rounded up to what there are products for. */
  static int roundTokens(int tokens) {
    return Math.ceilDiv(tokens, TOKEN_GRAIN) * TOKEN_GRAIN;
  }

  private static int index(int rows, int tokens) {
    return (rows / ROW_GRAIN - 1) * TOKEN_SIZES + tokens / TOKEN_GRAIN - 1;
  }

  /** Makes both products of a size. Call before the workers start. */
  void prepare(int rows, int tokens) {
    int i = index(rows, tokens);
    if (scores[i] == null) {
      int size = tokens / TOKEN_GRAIN - 1;
      scores[i] =
          engine.matmul(
              new OneDnnMatmul.Shape(rows, tokens, d, OneDnn.BF16, TOKENS, false, keyDescs[size]));
      values[i] =
          engine.matmul(
              new OneDnnMatmul.Shape(rows, d, tokens, OneDnn.BF16, d, true, valueDescs[size]));
    }
  }

  /** {@code [rows][TOKENS] = queries[rows][d] . K}; {@link #prepare} made it. */
  OneDnnMatmul scores(int rows, int tokens) {
    return made(scores, rows, tokens);
  }

  /** {@code [rows][d] += weights[rows][tokens] . V}; {@link #prepare} made it. */
  OneDnnMatmul values(int rows, int tokens) {
    return made(values, rows, tokens);
  }

  private static OneDnnMatmul made(@Nullable OneDnnMatmul[] products, int rows, int tokens) {
    OneDnnMatmul product = products[index(rows, tokens)];
    if (product == null) {
      throw new IllegalStateException("no product for %d x %d".formatted(rows, tokens));
    }
    return product;
  }

  @Override
  public void close() {
    for (int i = 0; i < TOKEN_SIZES; i++) {
      OneDnnEngine.destroy(engine.lib.memoryDescDestroy(), "dnnl_memory_desc_destroy", keyDescs[i]);
      OneDnnEngine.destroy(
          engine.lib.memoryDescDestroy(), "dnnl_memory_desc_destroy", valueDescs[i]);
    }
  }
}
