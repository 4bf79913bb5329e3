package org.chunkllama.cuda.driver;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Host memory that a GPU reads and writes by itself, while the host goes on. */
public final class PinnedMemory implements AutoCloseable {
  private final CudaContext context;
  private final CudaDriver driver;
  private final long address;
  private final MemorySegment segment;
  private boolean open = true;

  public PinnedMemory(CudaContext context, long bytes) {
    this.context = context;
    this.driver = context.driver;
    context.bind();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
      driver.check(
          (int) driver.calls.hostAllocate().invokeExact(out.address(), bytes, 0),
          "cuMemHostAlloc(" + bytes + " bytes)");
      address = out.get(ValueLayout.JAVA_LONG, 0);
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
    segment = MemorySegment.ofAddress(address).reinterpret(bytes);
  }

  public long bytes() {
    return segment.byteSize();
  }

  /**
   * The memory; no slice of it may be used after {@link #close}.
   *
   * @throws IllegalStateException if it was given back
   */
  public MemorySegment segment() {
    requireOpen();
    return segment;
  }

  long address() {
    requireOpen();
    return address;
  }

  private void requireOpen() {
    if (!open) {
      throw new IllegalStateException("the pinned memory was given back");
    }
  }

  @Override
  public void close() {
    if (!open) {
      return;
    }
    open = false;
    context.bind();
    try {
      driver.checkRelease((int) driver.calls.hostFree().invokeExact(address), "cuMemFreeHost");
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }
}
