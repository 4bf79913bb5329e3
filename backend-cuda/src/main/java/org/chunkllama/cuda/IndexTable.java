package org.chunkllama.cuda;

import org.chunkllama.cuda.driver.DeviceMemory;
import org.jspecify.annotations.Nullable;

/**
 * Indices on the GPU, at an address that recorded work can rely on. Inside a step they are sent
 * once, before the operations.
 */
final class IndexTable implements AutoCloseable {
  private final CudaDevice device;
  private final String what;
  private int capacity = 1024;
  private DeviceMemory memory;
  private int @Nullable [] sent;
  private int sentCount;

  /** {@code what} the indices are, for messages. */
  IndexTable(CudaDevice device, String what) {
    this.device = device;
    this.what = what;
    memory = device.allocate((long) capacity * Integer.BYTES, "indices");
  }

  /** Sends the indices of a step; {@link #of} then takes them as sent until {@link #end}. */
  void begin(int[] values, int count) {
    send(values, count, Integer.MAX_VALUE);
    sent = values;
    sentCount = count;
  }

  /** The step is over: arrays may change. */
  void end() {
    sent = null;
  }

  /** The first {@code count} of {@code values}, each in [0, bound), on the GPU. */
  @SuppressWarnings("ReferenceEquality") // the array of the step is meant
  DeviceMemory of(int[] values, int count, int bound) {
    if (values == sent && count <= sentCount) {
      Check.indices(what, values, count, bound);
    } else {
      send(values, count, bound);
    }
    return memory;
  }

  private void send(int[] values, int count, int bound) {
    Check.indices(what, values, count, bound);
    if (count > capacity) {
      int wider = Math.max(count, 2 * capacity);
      memory = device.larger(memory, (long) wider * Integer.BYTES, "indices");
      capacity = wider;
    }
    long at = device.staging.take((long) count * Integer.BYTES);
    device.staging.put(values, count, at);
    device.staging.send(at, memory, 0, (long) count * Integer.BYTES);
  }

  @Override
  public void close() {
    memory.close();
  }
}
