package org.chunkllama.cuda.driver;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A point in a stream: to wait for, and to take times between. */
public final class CudaEvent implements AutoCloseable {
  private final CudaDriver driver;
  private final long handle;

  public CudaEvent(CudaContext context) {
    driver = context.driver;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
      driver.check((int) driver.calls.eventCreate().invokeExact(out.address(), 0), "cuEventCreate");
      handle = out.get(ValueLayout.JAVA_LONG, 0);
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }

  /** Puts the event behind all that is queued. */
  public void record(CudaStream stream) {
    try {
      driver.check(
          (int) driver.calls.eventRecord().invokeExact(handle, stream.handle), "cuEventRecord");
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }

  /** Waits until the event is reached. */
  public void synchronize() {
    try {
      driver.check((int) driver.calls.eventSynchronize().invokeExact(handle), "cuEventSynchronize");
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }

  /** Microseconds on the GPU since {@code start}; both must have been reached. */
  public double microsSince(CudaEvent start) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_FLOAT);
      driver.check(
          (int) driver.calls.eventElapsed().invokeExact(out.address(), start.handle, handle),
          "cuEventElapsedTime");
      return out.get(ValueLayout.JAVA_FLOAT, 0) * 1000.0;
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }

  @Override
  public void close() {
    try {
      driver.checkRelease(
          (int) driver.calls.eventDestroy().invokeExact(handle), "cuEventDestroy_v2");
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }
}
