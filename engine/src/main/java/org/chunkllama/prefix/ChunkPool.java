package org.chunkllama.prefix;

import java.util.BitSet;

/**
 * A fixed set of chunk ids, 0 to total - 1. All operations are O(1). The last one given back is
 * taken first.
 */
final class ChunkPool {
  private final int[] freeIds; // [total], a stack of which the first `free` count
  private final BitSet taken;
  private int free;

  /**
   * A pool with all ids free.
   *
   * @throws IllegalArgumentException if {@code chunks} is not positive
   */
  ChunkPool(int chunks) {
    if (chunks < 1) {
      throw new IllegalArgumentException("a pool needs at least one chunk, not " + chunks);
    }
    freeIds = new int[chunks];
    taken = new BitSet(chunks);
    for (int i = 0; i < chunks; i++) {
      freeIds[i] = chunks - 1 - i; // low ids first
    }
    free = chunks;
  }

  int total() {
    return freeIds.length;
  }

  int free() {
    return free;
  }

  boolean isFree(int id) {
    return !taken.get(id);
  }

  /**
   * Takes a free id.
   *
   * @throws IllegalStateException if there is none
   */
  int take() {
    if (free == 0) {
      throw new IllegalStateException("no free chunk");
    }
    int id = freeIds[--free];
    taken.set(id);
    return id;
  }

  /** The id that {@link #take} would give after {@code i} others; i is below {@link #free}. */
  int upcoming(int i) {
    return freeIds[free - 1 - i];
  }

  /**
   * Gives an id back.
   *
   * @throws IllegalStateException if it is free already
   */
  void give(int id) {
    if (!taken.get(id)) {
      throw new IllegalStateException("chunk " + id + " is given back twice");
    }
    taken.clear(id);
    freeIds[free++] = id;
  }

  /**
   * Verifies that the stack holds exactly the ids not taken.
   *
   * @throws IllegalStateException if not
   */
  void check() {
    BitSet seen = new BitSet(total());
    for (int i = 0; i < free; i++) {
      int id = freeIds[i];
      if (taken.get(id) || seen.get(id)) {
        throw new IllegalStateException("chunk " + id + " is free and taken, or free twice");
      }
      seen.set(id);
    }
    if (free + taken.cardinality() != total()) {
      throw new IllegalStateException(
          "the pool lost a chunk: " + free + " free, " + taken.cardinality() + " taken");
    }
  }
}
