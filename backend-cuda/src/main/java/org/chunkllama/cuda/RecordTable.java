package org.chunkllama.cuda;

import java.util.Arrays;
import org.chunkllama.plan.AttentionPlan;

/**
 * An {@link AttentionPlan} as the attention kernels take it: for each lane of blocks a list of
 * records, a record being a range of rows times a range of tokens. Runs are cut so that all lanes
 * have the same work. The format is described beside the kernels.
 *
 * <p>Built when the plan's structure changed; between changes {@link #advance} renews lengths.
 */
final class RecordTable {
  /** Ints of a record. */
  static final int RECORD = 16;

  /** Chunk ids that kernels may read behind the last. */
  static final int SPARE_IDS = 32;

  private static final int INLINE = 8;
  private static final int CAUSAL = 1; // rows see different lengths
  private static final int OWNER = 2; // the last record of some of its rows: it merges them
  private static final int SIGNAL = 4; // not the last of some: somebody waits for its states
  private static final int CUT = 16; // tokens: runs are cut at multiples
  private static final int PIECE = 32; // tokens: no piece is shorter

  final int lanes;
  private final int group;
  private final int rowsMax;

  /** Records that a lane has room for. */
  int recordCap = 8;

  /** {@code [lanes][recordCap][RECORD]} */
  int[] records;

  /** {@code [lanes][recordCap]} tokens of each record; 0 ends a lane's list. */
  int[] lengths;

  /** Waits that a lane has room for. */
  int waitCap = 8;

  /**
   * {@code [lanes][waitCap]} places of records of other lanes whose states the lane's rows need; a
   * list ends at -1.
   */
  int[] waits;

  /** {@code [rows + 1]} where the row's slots begin in {@link #rowPartial}. */
  int[] rowPartialStart = new int[65];

  /** {@code [partials]} slots, by row. */
  int[] rowPartial = new int[64];

  /** Slots for partial states. */
  int partials;

  /** True if a row has no record: its output must be zeroed. */
  boolean hasBareRows;

  private final int[] used; // [lanes] records
  private final int[] waiting; // [lanes] entries of waits
  private final int[] listed; // [lanes] record that was listed last for the lane, + 1
  private int[] recordOfSlot = new int[64]; // [partials]
  private int[] place = new int[64]; // [count] index in lengths
  private int[] segment = new int[64]; // [count]
  private int[] blockRow = new int[64]; // [count] first row
  private int[] blockRows = new int[64]; // [count]
  private int[] offset = new int[64]; // [count] tokens of the block before the record
  private boolean[] last = new boolean[64]; // [count] reaches to the block's end
  private int count;
  private int lane;
  private double spent; // cost of what was placed
  private double share; // cost of a lane

  /**
   * An empty table.
   *
   * @param lanes lists of records, 1 or more
   * @param group query heads per KV head
   * @param rowsMax rows that one record may have, 1 or more
   */
  RecordTable(int lanes, int group, int rowsMax) {
    this.lanes = lanes;
    this.group = group;
    this.rowsMax = rowsMax;
    used = new int[lanes];
    waiting = new int[lanes];
    listed = new int[lanes];
    waits = new int[lanes * waitCap];
    records = new int[lanes * recordCap * RECORD];
    lengths = new int[lanes * recordCap];
  }

  /** Builds the lists anew. */
  void build(AttentionPlan plan) {
    Arrays.fill(used, 0);
    Arrays.fill(lengths, 0);
    count = 0;
    lane = 0;
    spent = 0;
    share = total(plan) / lanes;
    place(plan, true);
    place(plan, false);
    assignPartials(plan);
  }

  /** Lengths after a step that changed nothing else. */
  void advance(AttentionPlan plan) {
    for (int i = 0; i < count; i++) {
      if (last[i]) {
        int tokens = tokens(plan, segment[i], blockRow[i], blockRows[i]);
        lengths[place[i]] = tokens - offset[i];
      }
    }
  }

  private double total(AttentionPlan plan) {
    double total = 0;
    for (int s = 0; s < plan.segments; s++) {
      for (int row = 0; row < plan.segmentRows[s]; row += rowsMax) {
        int rows = Math.min(rowsMax, plan.segmentRows[s] - row);
        int tokens = tokens(plan, s, plan.segmentFirstRow[s] + row, rows);
        total += tokens * perToken(rows) + fixed(rows);
      }
    }
    return total;
  }

  /** Relative time of one token: reading it, or computing many rows. */
  private double perToken(int rows) {
    return Math.max(1, rows * group / 160.0);
  }

  /** States of several rows are waited for, so they are to be early. */
  private double fixed(int rows) {
    return 2 + (rows > 1 ? 24 + rows * group / 4.0 : 0);
  }

  /** Shared runs first: their length is known, private ones even out the rest. */
  private void place(AttentionPlan plan, boolean shared) {
    for (int s = 0; s < plan.segments; s++) {
      if (plan.segmentRows[s] > 1 == shared) {
        for (int row = 0; row < plan.segmentRows[s]; row += rowsMax) {
          int rows = Math.min(rowsMax, plan.segmentRows[s] - row);
          placeBlock(plan, s, plan.segmentFirstRow[s] + row, rows);
        }
      }
    }
  }

  private void placeBlock(AttentionPlan plan, int s, int row, int rows) {
    int tokens = tokens(plan, s, row, rows);
    int seenByAll = seenByAll(plan, s, row, rows);
    double perToken = perToken(rows);
    int from = 0;
    while (true) {
      int rest = tokens - from;
      double room = share * (lane + 1) - spent - fixed(rows);
      if (lane == lanes - 1 || room >= rest * perToken) {
        break;
      }
      int cut = (int) Math.max(0, room / perToken) / CUT * CUT;
      // All rows must see the first token behind the cut.
      cut = Math.min(cut, (seenByAll - 1 - from) / CUT * CUT);
      if (cut >= PIECE && rest - cut >= PIECE) {
        add(plan, s, row, rows, from, cut, false);
        spent += cut * perToken + fixed(rows);
        from += cut;
      } else if (2 * room >= rest * perToken) {
        break; // most of it fits: rather that than a small piece
      }
      lane++;
    }
    add(plan, s, row, rows, from, tokens - from, true);
    spent += (tokens - from) * perToken + fixed(rows);
  }

  /** Tokens of a segment that some of the rows see. */
  private static int tokens(AttentionPlan plan, int s, int row, int rows) {
    int seen = 0;
    for (int r = row; r < row + rows; r++) {
      seen = Math.max(seen, plan.rowPosition[r] + 1 - plan.segmentFirstToken[s]);
    }
    return Math.min(plan.segmentTokens[s], seen);
  }

  /** Tokens of a segment that all of the rows see. */
  private static int seenByAll(AttentionPlan plan, int s, int row, int rows) {
    int seen = plan.segmentTokens[s];
    for (int r = row; r < row + rows; r++) {
      seen = Math.min(seen, plan.rowPosition[r] + 1 - plan.segmentFirstToken[s]);
    }
    return seen;
  }

  private void add(
      AttentionPlan plan, int s, int row, int rows, int from, int tokens, boolean toEnd) {
    if (used[lane] == recordCap) {
      growLanes();
    }
    if (count == place.length) {
      grow();
    }
    int index = lane * recordCap + used[lane]++;
    place[count] = index;
    segment[count] = s;
    blockRow[count] = row;
    blockRows[count] = rows;
    offset[count] = from;
    last[count] = toEnd;
    count++;
    lengths[index] = tokens;
    int at = index * RECORD;
    int chunk = plan.segmentChunkStart[s] + from / plan.chunkTokens;
    records[at] = row;
    records[at + 1] = rows;
    records[at + 2] = plan.segmentFirstToken[s] + from;
    records[at + 3] = rows > 1 && seenByAll(plan, s, row, rows) < from + tokens ? CAUSAL : 0;
    records[at + 4] = -1;
    records[at + 5] = chunk;
    for (int i = 0; i < INLINE; i++) {
      records[at + INLINE + i] = chunk + i < plan.chunkIdCount ? plan.chunkIds[chunk + i] : 0;
    }
  }

  private void growLanes() {
    int wider = 2 * recordCap;
    int[] widerRecords = new int[lanes * wider * RECORD];
    int[] widerLengths = new int[lanes * wider];
    for (int l = 0; l < lanes; l++) {
      System.arraycopy(
          records, l * recordCap * RECORD, widerRecords, l * wider * RECORD, recordCap * RECORD);
      System.arraycopy(lengths, l * recordCap, widerLengths, l * wider, recordCap);
    }
    for (int i = 0; i < count; i++) {
      place[i] = place[i] / recordCap * wider + place[i] % recordCap;
    }
    records = widerRecords;
    lengths = widerLengths;
    recordCap = wider;
  }

  private void grow() {
    int size = 2 * count;
    place = Arrays.copyOf(place, size);
    segment = Arrays.copyOf(segment, size);
    blockRow = Arrays.copyOf(blockRow, size);
    blockRows = Arrays.copyOf(blockRows, size);
    offset = Arrays.copyOf(offset, size);
    last = Arrays.copyOf(last, size);
  }

  /** A row of one record gets its output from it directly, the others' states are merged. */
  private void assignPartials(AttentionPlan plan) {
    if (rowPartialStart.length < plan.rows + 1) {
      rowPartialStart = new int[2 * plan.rows + 1];
    }
    int[] start = rowPartialStart;
    Arrays.fill(start, 0, plan.rows + 1, 0);
    for (int i = 0; i < count; i++) {
      addRows(start, i);
    }
    hasBareRows = false;
    for (int row = 0; row < plan.rows; row++) {
      hasBareRows |= start[row + 1] == 0;
    }
    partials = 0;
    for (int i = 0; i < count; i++) {
      if (sharesARow(start, i)) {
        records[place[i] * RECORD + 4] = partials;
        if (recordOfSlot.length < partials + blockRows[i]) {
          recordOfSlot = Arrays.copyOf(recordOfSlot, 2 * (partials + blockRows[i]));
        }
        Arrays.fill(recordOfSlot, partials, partials + blockRows[i], i);
        partials += blockRows[i];
      }
    }
    Arrays.fill(start, 0, plan.rows + 1, 0);
    for (int i = 0; i < count; i++) {
      if (partial(i) >= 0) {
        addRows(start, i);
      }
    }
    for (int row = 0; row < plan.rows; row++) {
      start[row + 1] += start[row];
    }
    listSlots(plan.rows);
    setFlags();
    listWaits();
  }

  /** Each lane waits for the records of other lanes whose states it merges. */
  private void listWaits() {
    Arrays.fill(waits, -1);
    Arrays.fill(waiting, 0);
    Arrays.fill(listed, 0);
    for (int i = 0; i < count; i++) {
      for (int k = 0; partial(i) >= 0 && k < blockRows[i]; k++) {
        int ownSlot = rowPartial[rowPartialStart[blockRow[i] + k + 1] - 1];
        int owner = place[recordOfSlot[ownSlot]] / recordCap;
        if (owner != place[i] / recordCap && listed[owner] != i + 1) {
          listed[owner] = i + 1;
          addWait(owner, place[i]);
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

  /** Slots are listed in the order of records, so a row's last slot is its last record's. */
  private void setFlags() {
    for (int i = 0; i < count; i++) {
      int slot = partial(i);
      int flags = 0;
      for (int k = 0; slot >= 0 && k < blockRows[i]; k++) {
        int end = rowPartialStart[blockRow[i] + k + 1];
        flags |= rowPartial[end - 1] == slot + k ? OWNER : SIGNAL;
      }
      records[place[i] * RECORD + 3] |= flags;
    }
  }

  private void addRows(int[] counts, int record) {
    for (int row = blockRow[record]; row < blockRow[record] + blockRows[record]; row++) {
      counts[row + 1]++;
    }
  }

  private boolean sharesARow(int[] counts, int record) {
    for (int row = blockRow[record]; row < blockRow[record] + blockRows[record]; row++) {
      if (counts[row + 1] > 1) {
        return true;
      }
    }
    return false;
  }

  private int partial(int record) {
    return records[place[record] * RECORD + 4];
  }

  private void listSlots(int rows) {
    if (rowPartial.length < partials) {
      rowPartial = new int[2 * partials];
    }
    int[] start = rowPartialStart;
    for (int i = count - 1; i >= 0; i--) {
      int slot = partial(i);
      if (slot >= 0) {
        for (int k = 0; k < blockRows[i]; k++) {
          // From the back, so that start[row + 1] becomes the row's own begin...
          rowPartial[--start[blockRow[i] + k + 1]] = slot + k;
        }
      }
    }
    // ...one entry too far right.
    System.arraycopy(start, 1, start, 0, rows);
    start[rows] = partials;
  }
}
