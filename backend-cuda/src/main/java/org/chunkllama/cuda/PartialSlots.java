package org.chunkllama.cuda;

import java.util.Arrays;

/**
 * Where records leave the partial states of their rows, and for whose states each lane waits. A row
 * of one record gets its output from it directly. Otherwise the record of the row's last tokens
 * merges the others' states.
 */
final class PartialSlots {
  private static final int OWNER = 2; // the last record of some of its rows: it merges them
  private static final int SIGNAL = 4; // not the last of some: somebody waits for its states

  /** {@code [rows + 1]} where the row's slots begin in {@link #rowPartial}. */
  int[] rowPartialStart = new int[65];

  /** {@code [partials]} slots, by row, in the order of their tokens. */
  int[] rowPartial = new int[64];

  /** Waits that a lane has room for. */
  int waitCap = 8;

  /**
   * {@code [lanes][waitCap]} places of records of other lanes whose states the lane's rows need; a
   * list ends at -1.
   */
  int[] waits;

  /** True if a row has no record: its output must be zeroed. */
  boolean hasBareRows;

  private final int lanes;
  private final int[] waiting; // [lanes] entries of waits
  private final int[] listed; // [lanes] record that was listed last for the lane, + 1
  private int[] recordOfSlot = new int[64]; // [partials]

  PartialSlots(int lanes) {
    this.lanes = lanes;
    waiting = new int[lanes];
    listed = new int[lanes];
    waits = new int[lanes * waitCap];
  }

  /** Gives out slots and sets flags; returns the number of slots. */
  int assign(RecordTable table, int rows) {
    if (rowPartialStart.length < rows + 1) {
      rowPartialStart = new int[2 * rows + 1];
    }
    int[] start = rowPartialStart;
    Arrays.fill(start, 0, rows + 1, 0);
    for (int i = 0; i < table.count(); i++) {
      addRows(table, i);
    }
    hasBareRows = false;
    for (int row = 0; row < rows; row++) {
      hasBareRows |= start[row + 1] == 0;
    }
    int partials = giveOut(table);
    Arrays.fill(start, 0, rows + 1, 0);
    for (int i = 0; i < table.count(); i++) {
      if (table.partial(i) >= 0) {
        addRows(table, i);
      }
    }
    for (int row = 0; row < rows; row++) {
      start[row + 1] += start[row];
    }
    list(table, rows, partials);
    setFlags(table);
    listWaits(table);
    return partials;
  }

  private int giveOut(RecordTable table) {
    int partials = 0;
    for (int i = 0; i < table.count(); i++) {
      if (sharesARow(table, i)) {
        int end = partials + table.rows(i);
        table.setPartial(i, partials);
        if (recordOfSlot.length < end) {
          recordOfSlot = Arrays.copyOf(recordOfSlot, 2 * end);
        }
        Arrays.fill(recordOfSlot, partials, end, i);
        partials = end;
      }
    }
    return partials;
  }

  private void addRows(RecordTable table, int record) {
    int first = table.firstRow(record);
    for (int row = first; row < first + table.rows(record); row++) {
      rowPartialStart[row + 1]++;
    }
  }

  private boolean sharesARow(RecordTable table, int record) {
    int first = table.firstRow(record);
    for (int row = first; row < first + table.rows(record); row++) {
      if (rowPartialStart[row + 1] > 1) {
        return true;
      }
    }
    return false;
  }

  private void list(RecordTable table, int rows, int partials) {
    if (rowPartial.length < partials) {
      rowPartial = new int[2 * partials];
    }
    int[] start = rowPartialStart;
    for (int i = table.count() - 1; i >= 0; i--) {
      int slot = table.partial(i);
      if (slot >= 0) {
        for (int k = 0; k < table.rows(i); k++) {
          // From the back, so that start[row + 1] becomes the row's own begin...
          rowPartial[--start[table.firstRow(i) + k + 1]] = slot + k;
        }
      }
    }
    // ...one entry too far right.
    System.arraycopy(start, 1, start, 0, rows);
    start[rows] = partials;
    for (int row = 0; row < rows; row++) {
      sort(table, start[row], start[row + 1]);
    }
  }

  /** Sorts the slots of a row by their tokens; mostly they are few and sorted already. */
  private void sort(RecordTable table, int from, int to) {
    for (int i = from + 1; i < to; i++) {
      int slot = rowPartial[i];
      int token = table.firstToken(recordOfSlot[slot]);
      int k = i;
      while (k > from && table.firstToken(recordOfSlot[rowPartial[k - 1]]) > token) {
        rowPartial[k] = rowPartial[k - 1];
        k--;
      }
      rowPartial[k] = slot;
    }
  }

  private void setFlags(RecordTable table) {
    for (int i = 0; i < table.count(); i++) {
      int slot = table.partial(i);
      int flags = 0;
      for (int k = 0; slot >= 0 && k < table.rows(i); k++) {
        int end = rowPartialStart[table.firstRow(i) + k + 1];
        flags |= rowPartial[end - 1] == slot + k ? OWNER : SIGNAL;
      }
      table.addFlags(i, flags);
    }
  }

  /** Each lane waits for the records of other lanes whose states it merges. */
  private void listWaits(RecordTable table) {
    Arrays.fill(waits, -1);
    Arrays.fill(waiting, 0);
    Arrays.fill(listed, 0);
    for (int i = 0; i < table.count(); i++) {
      int lane = table.place(i) / table.recordCap;
      for (int k = 0; table.partial(i) >= 0 && k < table.rows(i); k++) {
        int ownSlot = rowPartial[rowPartialStart[table.firstRow(i) + k + 1] - 1];
        int owner = table.place(recordOfSlot[ownSlot]) / table.recordCap;
        if (owner != lane && listed[owner] != i + 1) {
          listed[owner] = i + 1;
          addWait(owner, table.place(i));
        }
      }
    }
  }

  private void addWait(int owner, int record) {
    if (waiting[owner] == waitCap) {
      int[] wider = new int[2 * waits.length];
      Arrays.fill(wider, -1);
      for (int l = 0; l < lanes; l++) {
        System.arraycopy(waits, l * waitCap, wider, l * 2 * waitCap, waitCap);
      }
      waits = wider;
      waitCap *= 2;
    }
    waits[owner * waitCap + waiting[owner]++] = record;
  }
}
