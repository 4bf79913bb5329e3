package org.chunkllama;

/**
 * What a {@link ChunkAttention} holds and has done. Free, live and retained chunks make up the
 * pool.
 *
 * @param sequences live sequences
 * @param tokens tokens of all live sequences
 * @param chunksFree chunks with nothing in them
 * @param chunksLive chunks that live sequences read
 * @param chunksRetained chunks of removed sequences, kept until room is needed
 * @param chunksLiveUnshared chunks that the live sequences would take if they shared nothing
 * @param bytesPerChunk K and V of one chunk
 * @param tokensAdded tokens of all {@code add} calls
 * @param tokensReused those whose K and V were there already
 */
public record ChunkAttentionStats(
    int sequences,
    long tokens,
    int chunksFree,
    int chunksLive,
    int chunksRetained,
    int chunksLiveUnshared,
    long bytesPerChunk,
    long tokensAdded,
    long tokensReused) {

  /** Bytes of K and V that live sequences read. */
  public long kvBytes() {
    return chunksLive * bytesPerChunk;
  }

  /** Bytes that they would take if they shared nothing. */
  public long kvBytesUnshared() {
    return chunksLiveUnshared * bytesPerChunk;
  }
}
