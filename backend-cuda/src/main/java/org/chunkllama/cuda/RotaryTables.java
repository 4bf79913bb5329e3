package org.chunkllama.cuda;

import java.util.IdentityHashMap;
import java.util.List;
import org.chunkllama.cuda.driver.DeviceMemory;
import org.chunkllama.cuda.driver.Owned;
import org.chunkllama.spi.RotaryTable;
import org.jspecify.annotations.Nullable;

/** Cosines and sines on the GPU, sent at first use of a table. */
final class RotaryTables implements AutoCloseable {
  /** Cosines, then sines. */
  record OnDevice(DeviceMemory memory, long sinesOffset, boolean interleaved) {}

  private final CudaDevice device;
  private final IdentityHashMap<RotaryTable, OnDevice> tables = new IdentityHashMap<>();
  private @Nullable RotaryTable lastTable;
  private @Nullable OnDevice last;

  RotaryTables(CudaDevice device) {
    this.device = device;
  }

  /** The table on the GPU. */
  @SuppressWarnings("ReferenceEquality") // the same table is meant
  OnDevice of(RotaryTable table) {
    OnDevice found = last;
    if (found == null || table != lastTable) {
      found = tables.computeIfAbsent(table, this::send);
      last = found;
      lastTable = table;
    }
    return found;
  }

  private OnDevice send(RotaryTable table) {
    int values = table.positions() * (table.rotatedDim() / 2);
    long sines = (long) values * Float.BYTES;
    DeviceMemory memory = device.allocate(2 * sines, "the rotary table");
    try {
      device.staging.send(table.cos(), 0, values, memory, 0);
      device.staging.send(table.sin(), 0, values, memory, sines);
      return new OnDevice(memory, sines, table.layout() == RotaryTable.Layout.INTERLEAVED_PAIRS);
    } catch (Throwable e) {
      Owned.close(memory, e);
      throw e;
    }
  }

  @Override
  public void close() {
    List<DeviceMemory> all = tables.values().stream().map(OnDevice::memory).toList();
    tables.clear();
    Owned.closeAll(all);
  }
}
