package org.chunkllama.cuda;

import org.chunkllama.cuda.driver.DeviceMemory;
import org.chunkllama.cuda.driver.Owned;
import org.chunkllama.plan.AttentionPlan;
import org.jspecify.annotations.Nullable;

/**
 * A plan's tables on the GPU, at addresses that recorded work can rely on. What changes with every
 * token (lengths, positions, slots) is one small copy a step; all else is sent when the plan's
 * version changed. What was sent ahead is not sent again.
 */
final class PlanTables implements AutoCloseable {
  private static final int COUNTERS = 4; // of a whole launch

  private final CudaDevice device;
  private final AttentionShape shape;
  private final RecordTable table;

  private int rowCapacity = 64;
  private int chunkIdCapacity = 1024;
  private int partialCapacity = 256;
  private int recordCapacity;
  private int waitCapacity;
  private DeviceMemory structure; // records, chunk ids, partial starts, partials, chunks, waits
  private DeviceMemory lengths; // lengths, row positions, row slots
  private DeviceMemory states; // [partials][query heads] of o, then of (m, l)
  private DeviceMemory arrivals; // counters by which blocks wait for each other

  private @Nullable AttentionPlan sent;
  private long sentVersion;
  private @Nullable AttentionPlan current;
  private @Nullable AttentionPlan prepared;
  private long preparedRevision;

  PlanTables(CudaDevice device, AttentionShape shape, CudaTuning tuning, KvCosts costs) {
    this.device = device;
    this.shape = shape;
    table = new RecordTable(shape.lanes(), shape.group(), shape.rowsMax(), tuning, costs);
    recordCapacity = table.recordCap;
    waitCapacity = table.slots.waitCap;
    Owned made = new Owned();
    try {
      structure = made.add(device.allocate(structureInts() * 4, "attention tables"));
      lengths = made.add(device.allocate(lengthInts() * 4, "attention tables"));
      states = made.add(device.allocate(stateBytes(), "partial attention states"));
      arrivals = made.add(device.allocate(arrivalBytes(), "attention tables"));
      arrivals.fill(0, 0, arrivals.bytes(), device.stream);
    } catch (Throwable e) {
      made.closeAfter(e);
      throw e;
    }
  }

  /** Sends the plan of a step to come as it is now. */
  void prepare(AttentionPlan plan) {
    send(plan);
    prepared = plan;
    preparedRevision = plan.revision;
  }

  /**
   * Sends the plan of a step, if it is not there; {@link #of} then takes it as sent until {@link
   * #end}.
   */
  @SuppressWarnings("ReferenceEquality") // revisions count per plan
  void begin(AttentionPlan plan) {
    if (plan != prepared || plan.revision != preparedRevision) {
      send(plan);
    }
    current = plan;
  }

  /** The step is over: the plan may change. */
  void end() {
    current = null;
  }

  /** Makes sure that the tables are those of {@code plan} as it is now. */
  @SuppressWarnings("ReferenceEquality") // the plan of the step is meant
  PlanTables of(AttentionPlan plan) {
    if (plan != current) {
      send(plan);
    }
    return this;
  }

  @SuppressWarnings("ReferenceEquality") // versions count per plan
  private void send(AttentionPlan plan) {
    prepared = null;
    if (plan == sent && plan.version == sentVersion) {
      table.advance(plan);
    } else {
      sent = null; // until all of it is
      table.build(plan);
      ensure(plan);
      sendStructure(plan);
      sent = plan;
      sentVersion = plan.version;
    }
    sendLengths(plan);
  }

  private void ensure(AttentionPlan plan) {
    boolean fits =
        plan.rows <= rowCapacity
            && plan.chunkIdCount <= chunkIdCapacity
            && table.partials <= partialCapacity
            && table.recordCap == recordCapacity
            && table.slots.waitCap == waitCapacity;
    if (fits) {
      return;
    }
    rowCapacity = wider(rowCapacity, plan.rows);
    chunkIdCapacity = wider(chunkIdCapacity, plan.chunkIdCount);
    partialCapacity = wider(partialCapacity, table.partials);
    recordCapacity = table.recordCap;
    waitCapacity = table.slots.waitCap;
    boolean done = false;
    try {
      structure = device.larger(structure, structureInts() * 4, "attention tables");
      lengths = device.larger(lengths, lengthInts() * 4, "attention tables");
      states = device.larger(states, stateBytes(), "partial attention states");
      arrivals = device.larger(arrivals, arrivalBytes(), "attention tables");
      arrivals.fill(0, 0, arrivals.bytes(), device.stream);
      done = true;
    } finally {
      if (!done) { // some fit, some do not: the next plan begins anew
        rowCapacity = chunkIdCapacity = partialCapacity = 0;
      }
    }
  }

  private static int wider(int capacity, int needed) {
    return needed <= capacity ? capacity : Math.max(needed, 2 * capacity);
  }

  private long recordInts() {
    return (long) shape.lanes() * recordCapacity * RecordTable.RECORD;
  }

  private long structureInts() {
    return rowPartialEnd() + rowCapacity + (long) shape.lanes() * waitCapacity;
  }

  private long rowPartialEnd() {
    return rowPartialStart() + rowCapacity + 1 + partialCapacity;
  }

  private long rowPartialStart() {
    return recordInts() + chunkIdCapacity + RecordTable.SPARE_IDS;
  }

  private long lengthInts() {
    return (long) shape.lanes() * recordCapacity + 2L * rowCapacity;
  }

  private long stateBytes() {
    return stateValues() * 4 + (long) partialCapacity * shape.queryHeads() * 8;
  }

  private long stateValues() {
    return (long) partialCapacity * shape.queryHeads() * shape.headDim();
  }

  private long arrivalBytes() {
    long flags = Math.max(rowCapacity, (long) shape.lanes() * recordCapacity);
    return 4 * (COUNTERS + flags * shape.kvHeads());
  }

  private void sendStructure(AttentionPlan plan) {
    Staging staging = device.staging;
    if (structureInts() * 4 > Staging.HALF) {
      sendLargeStructure(plan);
      return;
    }
    long at = staging.take(structureInts() * 4);
    staging.put(table.records, (int) recordInts(), at);
    staging.put(plan.chunkIds, plan.chunkIdCount, at + recordInts() * 4);
    staging.put(table.slots.rowPartialStart, plan.rows + 1, at + rowPartialStart() * 4);
    staging.put(table.slots.rowPartial, table.partials, at + rowPartialOffset());
    staging.put(plan.rowChunk, plan.rows, at + rowChunkOffset());
    staging.put(table.slots.waits, table.slots.waits.length, at + waitsOffset());
    staging.send(at, structure, 0, structureInts() * 4);
  }

  /** A table after the other, what is used of each: a plan without sharing can have millions. */
  private void sendLargeStructure(AttentionPlan plan) {
    Staging staging = device.staging;
    staging.send(table.records, (int) recordInts(), structure, 0);
    staging.send(plan.chunkIds, plan.chunkIdCount, structure, chunkIdsOffset());
    staging.send(table.slots.rowPartialStart, plan.rows + 1, structure, rowPartialStartOffset());
    staging.send(table.slots.rowPartial, table.partials, structure, rowPartialOffset());
    staging.send(plan.rowChunk, plan.rows, structure, rowChunkOffset());
    staging.send(table.slots.waits, table.slots.waits.length, structure, waitsOffset());
  }

  private void sendLengths(AttentionPlan plan) {
    Staging staging = device.staging;
    long at = staging.take(lengthInts() * 4);
    staging.put(table.lengths, table.lengths.length, at);
    staging.put(plan.rowPosition, plan.rows, at + rowPositionOffset());
    staging.put(plan.rowSlot, plan.rows, at + rowSlotOffset());
    staging.send(at, lengths, 0, lengthInts() * 4);
  }

  /** What changes with the plan's version; records come first. */
  DeviceMemory structure() {
    return structure;
  }

  /** What changes with every step; lengths come first. */
  DeviceMemory lengths() {
    return lengths;
  }

  /** Partial states: o of all slots, then m and l from {@link #statesMlOffset} on. */
  DeviceMemory states() {
    return states;
  }

  /** Zero at first; a launch leaves it as the next one needs it. */
  DeviceMemory arrivals() {
    return arrivals;
  }

  int waitCap() {
    return waitCapacity;
  }

  long waitsOffset() {
    return rowChunkOffset() + rowCapacity * 4L;
  }

  int recordCap() {
    return recordCapacity;
  }

  /** True if a row's output is written by no record. */
  boolean hasBareRows() {
    return table.slots.hasBareRows;
  }

  long chunkIdsOffset() {
    return recordInts() * 4;
  }

  long rowPartialStartOffset() {
    return rowPartialStart() * 4;
  }

  long rowPartialOffset() {
    return (rowPartialStart() + rowCapacity + 1) * 4;
  }

  long rowChunkOffset() {
    return rowPartialEnd() * 4;
  }

  long rowPositionOffset() {
    return (long) shape.lanes() * recordCapacity * 4;
  }

  long rowSlotOffset() {
    return rowPositionOffset() + rowCapacity * 4L;
  }

  long statesMlOffset() {
    return stateValues() * 4;
  }

  @Override
  public void close() {
    device.release(structure, lengths, states, arrivals);
  }
}
