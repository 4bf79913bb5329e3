package org.chunkllama.cuda;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.chunkllama.cuda.driver.CudaContext;
import org.chunkllama.cuda.driver.CudaEvent;
import org.chunkllama.cuda.driver.CudaStream;
import org.chunkllama.cuda.driver.DeviceMemory;
import org.chunkllama.cuda.driver.Owned;
import org.chunkllama.cuda.driver.PinnedMemory;

/**
 * A ring of pinned memory, in two halves, through which everything travels to the GPU, and what is
 * waited for at once comes back. Sending returns before the GPU has it; a half is used again only
 * after the stream has passed all that was taken of it.
 */
final class Staging implements AutoCloseable {
  static final long BYTES = 32L << 20;

  /** Most that can be taken at once. */
  static final long HALF = BYTES / 2;

  private final Owned owned = new Owned();
  private final CudaStream stream;
  private final PinnedMemory pinned;
  private final CudaEvent[] passed = new CudaEvent[2]; // [halves]
  private int half;
  private long next; // in the ring

  Staging(CudaContext context, CudaStream stream) {
    this.stream = stream;
    try {
      pinned = owned.add(new PinnedMemory(context, BYTES));
      for (int i = 0; i < passed.length; i++) {
        passed[i] = owned.add(new CudaEvent(context));
      }
    } catch (Throwable e) {
      owned.closeAfter(e);
      throw e;
    }
  }

  /**
   * Space for {@code bytes} at the returned offset of {@link #segment}; fill and send it before the
   * next is taken.
   */
  long take(long bytes) {
    if (bytes > HALF) {
      throw new IllegalArgumentException(bytes + " bytes do not fit the staging ring");
    }
    if (next + bytes > (half + 1) * HALF) {
      passed[half].record(stream);
      half = 1 - half;
      next = half * HALF;
      passed[half].synchronize(); // at once, unless the ring went round within the work queued
    }
    long at = next;
    next += (bytes + 63) / 64 * 64;
    return at;
  }

  MemorySegment segment() {
    return pinned.segment();
  }

  /** Queues the copy of a space that was taken and filled. */
  void send(long at, DeviceMemory target, long offset, long bytes) {
    if (bytes > 0) {
      target.copyFrom(pinned, at, offset, bytes, stream);
    }
  }

  /** Sends {@code values[first, first + count)}; a long array goes in several parts. */
  void send(float[] values, int first, int count, DeviceMemory target, long offset) {
    int part = (int) (BYTES / 4 / Float.BYTES);
    for (int done = 0; done < count; done += part) {
      int size = Math.min(part, count - done);
      long at = take((long) size * Float.BYTES);
      MemorySegment.copy(values, first + done, pinned.segment(), ValueLayout.JAVA_FLOAT, at, size);
      send(at, target, offset + (long) done * Float.BYTES, (long) size * Float.BYTES);
    }
  }

  /** The same of {@code values[0, count)}. */
  void send(int[] values, int count, DeviceMemory target, long offset) {
    int part = (int) (BYTES / 4 / Integer.BYTES);
    for (int done = 0; done < count; done += part) {
      int size = Math.min(part, count - done);
      long at = take((long) size * Integer.BYTES);
      MemorySegment.copy(values, done, pinned.segment(), ValueLayout.JAVA_INT, at, size);
      send(at, target, offset + (long) done * Integer.BYTES, (long) size * Integer.BYTES);
    }
  }

  /** Puts {@code values[0, count)} at offset {@code at} of a space taken before. */
  void put(int[] values, int count, long at) {
    MemorySegment.copy(values, 0, pinned.segment(), ValueLayout.JAVA_INT, at, count);
  }

  /** Waits for the GPU and copies floats from it. */
  void receive(DeviceMemory source, long offset, float[] values, int first, int count) {
    int part = (int) (BYTES / 4 / Float.BYTES);
    for (int done = 0; done < count; done += part) {
      int size = Math.min(part, count - done);
      long at = fetch(source, offset + (long) done * Float.BYTES, (long) size * Float.BYTES);
      MemorySegment.copy(pinned.segment(), ValueLayout.JAVA_FLOAT, at, values, first + done, size);
    }
  }

  /** Waits for the GPU and copies ints from its begin. */
  void receive(DeviceMemory source, int[] values, int count) {
    long at = fetch(source, 0, (long) count * Integer.BYTES);
    MemorySegment.copy(pinned.segment(), ValueLayout.JAVA_INT, at, values, 0, count);
  }

  private long fetch(DeviceMemory source, long offset, long bytes) {
    long at = take(bytes);
    source.copyTo(pinned, at, offset, bytes, stream);
    stream.synchronize();
    half = 0; // the stream has passed everything
    next = 0;
    return at;
  }

  @Override
  public void close() {
    owned.close();
  }
}
