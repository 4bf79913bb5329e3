package org.chunkllama;

import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.spi.Backends;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvLayout;

/**
 * Shape and resources of a {@link ChunkAttention}.
 *
 * @param queryHeads a multiple of kvHeads
 * @param kvHeads key/value heads
 * @param headDim values per head: 64, 80, 96, 128 or 256 on the fast backends
 * @param chunkTokens tokens per chunk: 16 to 128, a multiple of 16
 * @param kvType how K and V are stored: F32, BF16 or F16; on some backends F8 or I8
 * @param poolBytes memory for K and V, taken at start; room for at least one chunk
 * @param scale factor of the scores q . k
 * @param backend a backend's name, or {@code auto}
 * @param threads worker threads, the caller's included; 0 = one per core
 * @param sharing false: nothing is matched, shared or kept for later (for comparison)
 */
public record ChunkAttentionOptions(
    int queryHeads,
    int kvHeads,
    int headDim,
    int chunkTokens,
    DType kvType,
    long poolBytes,
    float scale,
    String backend,
    int threads,
    boolean sharing) {

  public ChunkAttentionOptions {
    if (kvHeads < 1 || queryHeads < kvHeads || queryHeads % kvHeads != 0) {
      throw new InvalidRequestException(
          "%d query heads must be a positive multiple of %d KV heads"
              .formatted(queryHeads, kvHeads));
    }
    if (!Float.isFinite(scale) || scale <= 0 || threads < 0) {
      throw new InvalidRequestException(
          "scale %s must be above 0 and threads %d not negative".formatted(scale, threads));
    }
    KvLayout layout = layout(kvHeads, headDim, chunkTokens, kvType);
    long chunks = poolBytes / layout.bytesPerChunk();
    if (chunks < 1 || chunks > Integer.MAX_VALUE) {
      throw new InvalidRequestException(
          "a pool of %d bytes gives %d chunks of %d bytes; it must give 1 to %d"
              .formatted(poolBytes, chunks, layout.bytesPerChunk(), Integer.MAX_VALUE));
    }
  }

  /**
   * Chunks of 64 tokens in fp32, 256 MiB of them, scores divided by the root of the head dim, the
   * best backend, all cores.
   */
  public static ChunkAttentionOptions of(int queryHeads, int kvHeads, int headDim) {
    float scale = (float) (1 / Math.sqrt(headDim));
    return new ChunkAttentionOptions(
        queryHeads, kvHeads, headDim, 64, DType.F32, 256L << 20, scale, Backends.AUTO, 0, true);
  }

  private static KvLayout layout(int kvHeads, int headDim, int chunkTokens, DType kvType) {
    try {
      return new KvLayout(1, kvHeads, headDim, chunkTokens, kvType);
    } catch (IllegalArgumentException e) {
      throw new InvalidRequestException(String.valueOf(e.getMessage()), e);
    }
  }

  KvLayout layout() {
    return layout(kvHeads, headDim, chunkTokens, kvType);
  }

  /** Chunks that the pool has room for. */
  public int chunks() {
    return (int) (poolBytes / layout().bytesPerChunk());
  }

  public ChunkAttentionOptions withChunkTokens(int chunkTokens) {
    return new ChunkAttentionOptions(
        queryHeads,
        kvHeads,
        headDim,
        chunkTokens,
        kvType,
        poolBytes,
        scale,
        backend,
        threads,
        sharing);
  }

  public ChunkAttentionOptions withKvType(DType kvType) {
    return new ChunkAttentionOptions(
        queryHeads,
        kvHeads,
        headDim,
        chunkTokens,
        kvType,
        poolBytes,
        scale,
        backend,
        threads,
        sharing);
  }

  public ChunkAttentionOptions withPoolBytes(long poolBytes) {
    return new ChunkAttentionOptions(
        queryHeads,
        kvHeads,
        headDim,
        chunkTokens,
        kvType,
        poolBytes,
        scale,
        backend,
        threads,
        sharing);
  }

  /** A pool of so many chunks; set chunk size and type first. */
  public ChunkAttentionOptions withChunks(int chunks) {
    return withPoolBytes(chunks * layout().bytesPerChunk());
  }

  public ChunkAttentionOptions withScale(float scale) {
    return new ChunkAttentionOptions(
        queryHeads,
        kvHeads,
        headDim,
        chunkTokens,
        kvType,
        poolBytes,
        scale,
        backend,
        threads,
        sharing);
  }

  public ChunkAttentionOptions withBackend(String backend) {
    return new ChunkAttentionOptions(
        queryHeads,
        kvHeads,
        headDim,
        chunkTokens,
        kvType,
        poolBytes,
        scale,
        backend,
        threads,
        sharing);
  }

  public ChunkAttentionOptions withThreads(int threads) {
    return new ChunkAttentionOptions(
        queryHeads,
        kvHeads,
        headDim,
        chunkTokens,
        kvType,
        poolBytes,
        scale,
        backend,
        threads,
        sharing);
  }

  public ChunkAttentionOptions withSharing(boolean sharing) {
    return new ChunkAttentionOptions(
        queryHeads,
        kvHeads,
        headDim,
        chunkTokens,
        kvType,
        poolBytes,
        scale,
        backend,
        threads,
        sharing);
  }
}
