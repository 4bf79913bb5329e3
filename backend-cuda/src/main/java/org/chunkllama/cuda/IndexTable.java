package org.chunkllama.cuda;

import java.util.Arrays;
import org.chunkllama.cuda.driver.DeviceMemory;
import org.chunkllama.spi.Arguments;
import org.jspecify.annotations.Nullable;

/**
 * Indices on the GPU, at an address that recorded work can rely on. Inside a step they are sent
 * once, before the operations, and only if others are there.
 */
final class IndexTable implements AutoCloseable {
  private final CudaDevice device;
  private final String what;
  private int capacity = 1024;
  private DeviceMemory memory;
  private int @Nullable [] current; // of the step
  private int[] there = {}; // what was sent by prepare
  private int thereCount = -1; // -1: other indices are on the GPU

  /** {@code what} the indices are, for messages. */
  IndexTable(CudaDevice device, String what) {
    this.device = device;
    this.what = what;
    memory = device.allocate((long) capacity * Integer.BYTES, "indices");
  }

  /** Makes sure that the first {@code count} of {@code values} are there for a step to come. */
  void prepare(int[] values, int count) {
    if (thereCount == count && Arrays.equals(values, 0, count, there, 0, count)) {
      return;
    }
    send(values, count, Integer.MAX_VALUE);
    if (there.length < count) {
      there = new int[capacity];
    }
    System.arraycopy(values, 0, there, 0, count);
    thereCount = count;
  }

  /** The same for a step that begins; {@link #of} then takes them as sent until {@link #end}. */
  void begin(int[] values, int count) {
    prepare(values, count);
    current = values;
  }

  /** The step is over: arrays may change. */
  void end() {
    current = null;
  }

  /** The first {@code count} of {@code values}, each in [0, bound), on the GPU. */
  @SuppressWarnings("ReferenceEquality") // the array of the step is meant
  DeviceMemory of(int[] values, int count, int bound) {
    if (values == current && count <= thereCount) {
      Arguments.indices(what, values, count, bound);
    } else {
      send(values, count, bound);
    }
    return memory;
  }

  private void send(int[] values, int count, int bound) {
    Arguments.indices(what, values, count, bound);
    thereCount = -1;
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
