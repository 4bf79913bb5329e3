package org.chunkllama.prefix;

/**
 * Chunks held for somebody, by live sequences or pins. One that several share counts once, for
 * whoever held it first, until nobody holds it. Belongs to the tree's thread.
 */
public final class ChunkUsage {
  private int chunks;

  /** Nothing held. */
  public ChunkUsage() {}

  /** Chunks held now. */
  public int chunks() {
    return chunks;
  }

  void add(int change) {
    chunks += change;
  }
}
