package org.chunkllama.prefix;

/** Copies keys and values on the device, all layers. A KV cache's {@code copy} method fits. */
@FunctionalInterface
public interface ChunkCopier {
  /**
   * Copies the first {@code slots} tokens' K and V of chunk {@code from} into chunk {@code to}.
   * Must be ordered after what was written to {@code from} and before what is written to {@code
   * to}.
   */
  void copy(int from, int to, int slots);
}
