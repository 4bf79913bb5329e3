package org.chunkllama.cuda.driver;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A queue of work on a GPU. The context must be bound to the calling thread. */
public final class CudaStream implements AutoCloseable {
  private static final int NON_BLOCKING = 1;
  private static final int CAPTURE_THREAD_LOCAL = 1;

  private final CudaDriver driver;
  final long handle;

  /** Whether a kernel may begin before the one ahead of it has ended, if it waits for it itself. */
  final boolean overlapsKernels;

  public CudaStream(CudaContext context) {
    driver = context.driver;
    overlapsKernels = context.properties().major() >= 9;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
      driver.check(
          (int) driver.calls.streamCreate().invokeExact(out.address(), NON_BLOCKING),
          "cuStreamCreate");
      handle = out.get(ValueLayout.JAVA_LONG, 0);
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }

  /** Waits until all that was queued is done; faults of kernels surface here. */
  public void synchronize() {
    try {
      driver.check(
          (int) driver.calls.streamSynchronize().invokeExact(handle), "cuStreamSynchronize");
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }

  /**
   * Records what {@code operations} queue here, instead of running it.
   *
   * @throws OutOfDeviceMemoryException if the GPU has no room for what was recorded
   */
  public CudaGraph record(Runnable operations) {
    beginCapture();
    boolean done = false;
    try {
      operations.run();
      done = true;
    } finally {
      if (!done) {
        abandonCapture();
      }
    }
    return CudaGraph.instantiate(driver, captured());
  }

  private void beginCapture() {
    try {
      driver.check(
          (int) driver.calls.captureBegin().invokeExact(handle, CAPTURE_THREAD_LOCAL),
          "cuStreamBeginCapture_v2");
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }

  /** What was recorded is dropped. */
  private void abandonCapture() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
      // A capture that failed is invalid: its status is not news.
      int ignored = (int) driver.calls.captureEnd().invokeExact(handle, out.address());
      long graph = out.get(ValueLayout.JAVA_LONG, 0);
      if (ignored == 0 && graph != 0) {
        CudaGraph.destroy(driver, graph);
      }
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }

  private long captured() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
      driver.check(
          (int) driver.calls.captureEnd().invokeExact(handle, out.address()), "cuStreamEndCapture");
      return out.get(ValueLayout.JAVA_LONG, 0);
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }

  @Override
  public void close() {
    try {
      driver.checkRelease(
          (int) driver.calls.streamDestroy().invokeExact(handle), "cuStreamDestroy_v2");
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }
}
