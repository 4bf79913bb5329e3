package org.chunkllama.spi;

/**
 * Shape of a KV cache.
 *
 * @param layers decoder layers, 1 or more
 * @param kvHeads key/value heads per layer
 * @param headDim values per head: 64, 80, 96, 128 or 256 in the fast kernels; any multiple of 2 in
 *     the reference
 * @param chunkTokens tokens per chunk, c: 16 to 128, a multiple of 16
 * @param type F32, BF16, F16, F8 or I8; F16 may keep values beyond ±65504 as ±65504; F8 and I8 keep
 *     a scale for each head of a token, of K and of V ({@link EightBit})
 */
public record KvLayout(int layers, int kvHeads, int headDim, int chunkTokens, DType type) {
  public KvLayout {
    if (layers < 1 || kvHeads < 1 || headDim < 2 || headDim % 2 != 0) {
      throw new IllegalArgumentException(
          "KV layout: layers "
              + layers
              + ", kvHeads "
              + kvHeads
              + ", headDim "
              + headDim
              + " (headDim must be even)");
    }
    if (chunkTokens < 16 || chunkTokens > 128 || chunkTokens % 16 != 0) {
      throw new IllegalArgumentException(
          "chunk size must be a multiple of 16 from 16 to 128, not " + chunkTokens);
    }
    if (type.isQuantised()) {
      throw new IllegalArgumentException(
          "KV cache type must be F32, BF16, F16, F8 or I8, not " + type);
    }
  }

  /** Bytes of K and V of one token, all layers. */
  public long bytesPerToken() {
    return 2L * layers * kvHeads * headBytes();
  }

  /** Bytes of K or of V of one token and head, its scale included. */
  public int headBytes() {
    return headDim * type.blockBytes() + (type.isEightBit() ? EightBit.SCALE_BYTES : 0);
  }

  /** Bytes of one chunk, all layers. */
  public long bytesPerChunk() {
    return bytesPerToken() * chunkTokens;
  }
}
