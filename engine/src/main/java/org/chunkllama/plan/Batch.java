package org.chunkllama.plan;

import java.util.Arrays;

/**
 * The sequences of a step as they were added, and whether they still are those of the step before.
 * Chunk ids are copied: a caller's array may change between steps.
 */
final class Batch {
  private final int chunkTokens;

  /** Sequences in this step. */
  int sequences;

  /** Query rows in this step. */
  int rows;

  /** {@code [sequences]} first row. */
  int[] firstRow = new int[16];

  /** {@code [sequences]} rows: 1 when decoding, several in a slice of prefill. */
  int[] tokens = new int[16];

  /** {@code [sequences]} position of the first row. */
  int[] firstPosition = new int[16];

  /** {@code [sequences]} chunks up to the one that holds the last row. */
  int[] chunks = new int[16];

  /** {@code [sequences]} where the sequence's chunk ids begin in {@link #ids}. */
  int[] idStart = new int[16];

  /**
   * {@code [sequences]} leading chunks shared with the sequence before, as far as all rows of both
   * see them; 0 for the first.
   */
  int[] common = new int[16];

  int[] ids = new int[256];

  private int previousSequences;
  private boolean sameStructure;
  private boolean samePositions;
  private boolean planned;

  Batch(int chunkTokens) {
    this.chunkTokens = chunkTokens;
  }

  void begin() {
    sameStructure = planned; // a step that was added but never planned is no base
    samePositions = true;
    planned = false;
    previousSequences = sequences;
    sequences = 0;
    rows = 0;
  }

  /** True if sequences, rows and chunk ids are those of the step before; positions may differ. */
  boolean sameStructure() {
    return sameStructure && sequences == previousSequences;
  }

  /** True if positions are those of the step before too: nothing differs. */
  boolean isSame() {
    return sameStructure() && samePositions;
  }

  /** The plan now is that of this batch. */
  void setPlanned() {
    planned = true;
  }

  void add(int[] chunkIds, int position, int count) {
    int end = Math.addExact(position, count);
    int used = (end - 1) / chunkTokens + 1;
    if (position < 0 || count < 1 || used > chunkIds.length) {
      throw new IllegalArgumentException(
          "rows [%d, %d) need %d chunks of %d tokens, %d given"
              .formatted(position, end, used, chunkTokens, chunkIds.length));
    }
    int s = sequences;
    if (!sameStructure || !matches(s, chunkIds, position, count, used)) {
      sameStructure = false;
      store(s, chunkIds, count, used);
    }
    samePositions &= firstPosition[s] == position;
    firstPosition[s] = position;
    sequences = s + 1;
    rows += count;
  }

  private boolean matches(int s, int[] chunkIds, int position, int count, int used) {
    return s < previousSequences
        && tokens[s] == count
        && chunks[s] == used
        && (count == 1 || firstPosition[s] == position)
        && Arrays.equals(ids, idStart[s], idStart[s] + used, chunkIds, 0, used);
  }

  private void store(int s, int[] chunkIds, int count, int used) {
    if (s == tokens.length) {
      grow(2 * s);
    }
    int start = s == 0 ? 0 : idStart[s - 1] + chunks[s - 1];
    if (start + used > ids.length) {
      ids = Arrays.copyOf(ids, Math.max(start + used, 2 * ids.length));
    }
    System.arraycopy(chunkIds, 0, ids, start, used);
    idStart[s] = start;
    chunks[s] = used;
    tokens[s] = count;
    firstRow[s] = rows;
  }

  private void grow(int size) {
    firstRow = Arrays.copyOf(firstRow, size);
    tokens = Arrays.copyOf(tokens, size);
    firstPosition = Arrays.copyOf(firstPosition, size);
    chunks = Arrays.copyOf(chunks, size);
    idStart = Arrays.copyOf(idStart, size);
    common = Arrays.copyOf(common, size);
  }

  /** Fills {@link #common}: one comparison along each pair of neighbouring paths. */
  void findCommon() {
    for (int s = 0; s < sequences; s++) {
      common[s] = s == 0 ? 0 : commonChunks(s - 1, s);
    }
  }

  private int commonChunks(int a, int b) {
    int limit = Math.min(seenByAll(a), seenByAll(b));
    int differs =
        Arrays.mismatch(ids, idStart[a], idStart[a] + limit, ids, idStart[b], idStart[b] + limit);
    return differs < 0 ? limit : differs;
  }

  /** Chunks whose first token all rows of the sequence see. */
  private int seenByAll(int s) {
    return firstPosition[s] / chunkTokens + 1;
  }

  /** Row after the sequence's last. */
  int endRow(int s) {
    return firstRow[s] + tokens[s];
  }
}
