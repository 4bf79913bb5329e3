package org.chunkllama.spi;

/**
 * The bytes behind chunk ids 0 .. {@link #chunks()} - 1, all layers. The order of bytes inside a
 * chunk is the backend's.
 */
public interface KvCache extends AutoCloseable {
  KvLayout layout();

  /** Chunks it has room for. */
  int chunks();

  /**
   * Copies K and V of the first {@code slots} tokens of chunk {@code from} to chunk {@code to}, all
   * layers: a match that ends inside a chunk, or the first write after a fork.
   */
  void copy(int from, int to, int slots);

  @Override
  void close();
}
