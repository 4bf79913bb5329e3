package org.chunkllama.cuda;

import java.util.Arrays;
import java.util.Objects;
import org.chunkllama.plan.AttentionPlan;
import org.jspecify.annotations.Nullable;

/**
 * An {@link AttentionPlan} as the attention kernels take it: for each lane of blocks a list of
 * records, a record being a range of rows times a range of tokens. Runs are cut so that all lanes
 * have the same work. The format is described beside the kernels.
 *
 * <p>Built when the plan's structure changed; between changes {@link #advance} renews lengths. If
 * sequences have only grown, into further chunks too, the cuts stay for a while.
 */
final class RecordTable implements LaneCutter.Sink {
  /** Ints of a record. */
  static final int RECORD = 16;

  /** Chunk ids that kernels may read behind the last. */
  static final int SPARE_IDS = 32;

  private static final int INLINE = 8;
  private static final int GROWTH = 32; // tokens of a block before lanes are balanced anew
  private static final int CAUSAL = 1; // rows see different lengths

  final int lanes;

  /** Records that a lane has room for. */
  int recordCap = 8;

  /** {@code [lanes][recordCap][RECORD]} */
  int[] records;

  /** {@code [lanes][recordCap]} tokens of each record; 0 ends a lane's list. */
  int[] lengths;

  /** Slots for partial states. */
  int partials;

  /** Where rows' partial states are, and what lanes wait for. */
  final PartialSlots slots;

  /** Whether the last {@link #build} left the cuts as they were. */
  boolean cutsKept;

  private final RowLimit limit;
  private final Blocks blocks = new Blocks(); // as they were cut
  private final Blocks grown = new Blocks(); // as they are now, if the cuts stay
  private final LaneCutter cutter;
  private final int[] used; // [lanes] records
  private int[] place = new int[64]; // [count] index in lengths
  private int[] block = new int[64]; // [count]
  private int[] offset = new int[64]; // [count] tokens of the block before the record
  private boolean[] last = new boolean[64]; // [count] reaches to the block's end
  private int count;
  private int rows = -1; // of the plan whose blocks were cut
  private int rowsOfRecord; // at most, in the blocks
  private @Nullable AttentionPlan building;

  /**
   * An empty table.
   *
   * @param lanes lists of records, 1 or more
   * @param group query heads per KV head
   * @param rowsMax rows that one record may have, 1 or more
   * @param tuning what cuts go by
   * @param costs of the type of K and V
   */
  RecordTable(int lanes, int group, int rowsMax, CudaTuning tuning, KvCosts costs) {
    this.lanes = lanes;
    used = new int[lanes];
    limit = new RowLimit(lanes, group, rowsMax, costs);
    cutter = new LaneCutter(lanes, group, blocks, tuning, costs);
    slots = new PartialSlots(lanes);
    records = new int[lanes * recordCap * RECORD];
    lengths = new int[lanes * recordCap];
  }

  /** Builds the lists for another structure. */
  void build(AttentionPlan plan) {
    cutsKept = plan.rows == rows && growsLittle(plan);
    if (cutsKept) {
      advance(plan);
      for (int i = 0; i < count; i++) {
        setChunks(plan, place[i] * RECORD, block[i], offset[i]);
      }
      return;
    }
    Arrays.fill(used, 0);
    Arrays.fill(lengths, 0);
    count = 0;
    building = plan;
    rowsOfRecord = limit.of(plan);
    blocks.of(plan, rowsOfRecord);
    cutter.cut(this);
    building = null;
    rows = plan.rows;
    partials = slots.assign(this, rows);
  }

  private boolean growsLittle(AttentionPlan plan) {
    grown.of(plan, rowsOfRecord);
    return grown.hasStructureOf(blocks) && grown.isLittleLongerThan(blocks, GROWTH);
  }

  /** Lengths after a step that changed nothing else. */
  void advance(AttentionPlan plan) {
    for (int i = 0; i < count; i++) {
      if (last[i]) {
        lengths[place[i]] = blocks.tokens(plan, block[i]) - offset[i];
      }
    }
  }

  /** A record; see {@link LaneCutter}. */
  @Override
  public void piece(int lane, int of, int from, int tokens) {
    AttentionPlan plan = Objects.requireNonNull(building);
    if (used[lane] == recordCap) {
      growLanes();
    }
    if (count == place.length) {
      grow();
    }
    int index = lane * recordCap + used[lane]++;
    place[count] = index;
    block[count] = of;
    offset[count] = from;
    last[count] = from + tokens == blocks.tokens[of];
    count++;
    lengths[index] = tokens;
    int at = index * RECORD;
    records[at] = blocks.firstRow[of];
    records[at + 1] = blocks.rows[of];
    records[at + 2] = blocks.firstToken[of] + from;
    records[at + 3] = blocks.seenByAll[of] < from + tokens ? CAUSAL : 0;
    records[at + 4] = -1;
    setChunks(plan, at, of, from);
  }

  private void setChunks(AttentionPlan plan, int at, int of, int from) {
    int chunk = plan.segmentChunkStart[blocks.segment[of]] + from / plan.chunkTokens;
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
    block = Arrays.copyOf(block, size);
    offset = Arrays.copyOf(offset, size);
    last = Arrays.copyOf(last, size);
  }

  /** Records of the step. */
  int count() {
    return count;
  }

  /** Place of record {@code i} in {@link #lengths}. */
  int place(int i) {
    return place[i];
  }

  int firstRow(int i) {
    return records[place[i] * RECORD];
  }

  int rows(int i) {
    return records[place[i] * RECORD + 1];
  }

  int firstToken(int i) {
    return records[place[i] * RECORD + 2];
  }

  /** Slot of the record's first row, or -1. */
  int partial(int i) {
    return records[place[i] * RECORD + 4];
  }

  void setPartial(int i, int slot) {
    records[place[i] * RECORD + 4] = slot;
  }

  void addFlags(int i, int flags) {
    records[place[i] * RECORD + 3] |= flags;
  }
}
