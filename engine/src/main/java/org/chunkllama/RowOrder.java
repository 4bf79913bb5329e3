package org.chunkllama;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.prefix.PrefixTree;
import org.chunkllama.prefix.Sequence;

/**
 * Where the sequences that a caller lists stand in the tree's order. Kept until the tree or the
 * list changes.
 */
final class RowOrder {
  private final PrefixTree tree;
  private long version = -1;
  private long[] listed = {};
  private Sequence[] sequences = {};
  private int[] callerIndex = {};

  RowOrder(PrefixTree tree) {
    this.tree = tree;
  }

  /**
   * Orders {@code ids}.
   *
   * @throws InvalidRequestException if an id is listed twice or unknown
   */
  void order(long[] ids, Map<Long, Sequence> live) {
    if (version == tree.version() && Arrays.equals(ids, listed)) {
      return;
    }
    Map<Sequence, Integer> indices = HashMap.newHashMap(ids.length);
    for (int i = 0; i < ids.length; i++) {
      Sequence sequence = live.get(ids[i]);
      if (sequence == null) {
        throw unknown(ids[i]);
      }
      if (indices.put(sequence, i) != null) {
        throw new InvalidRequestException("sequence " + ids[i] + " is listed twice");
      }
    }
    sequences = new Sequence[ids.length];
    callerIndex = new int[ids.length];
    int row = 0;
    for (Sequence s = tree.firstInOrder(); s != null; s = s.next()) {
      Integer index = indices.get(s);
      if (index != null) {
        sequences[row] = s;
        callerIndex[row++] = index;
      }
    }
    listed = ids.clone();
    version = tree.version();
  }

  int rows() {
    return sequences.length;
  }

  Sequence sequence(int row) {
    return sequences[row];
  }

  /** Index in the caller's list of the sequence in this row. */
  int callerIndex(int row) {
    return callerIndex[row];
  }

  static InvalidRequestException unknown(long id) {
    return new InvalidRequestException(
        "there is no sequence " + id + ": it was never added, or is removed");
  }

  /** Chunks that a token for each of the ordered sequences takes. */
  int chunksForATokenEach() {
    int chunks = 0;
    for (int row = 0; row < sequences.length; row++) {
      chunks += takesChunk(row) ? 1 : 0;
    }
    return chunks;
  }

  /** True if the last chunk is full, or forks share it: the last of them to write keeps it. */
  private boolean takesChunk(int row) {
    Sequence s = sequences[row];
    if (s.length() % tree.chunkTokens() == 0) {
      return true;
    }
    int last = lastChunk(s);
    int sharers = 0;
    for (Sequence other = tree.firstInOrder(); other != null; other = other.next()) {
      sharers += lastChunk(other) == last ? 1 : 0;
    }
    int wrote = 1;
    for (int r = 0; r < row; r++) {
      wrote += lastChunk(sequences[r]) == last ? 1 : 0;
    }
    return wrote < sharers;
  }

  private static int lastChunk(Sequence s) {
    return s.chunkIds()[s.chunkCount() - 1];
  }
}
