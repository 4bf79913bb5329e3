package org.chunkllama.cuda.driver;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/**
 * Memory on a GPU, aligned to 256 bytes. The context must be bound to the calling thread. Copies
 * are queued on a stream.
 */
public final class DeviceMemory implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(DeviceMemory.class.getName());

  private final CudaContext context;
  private final CudaDriver driver;
  private final long address;
  private final long bytes;
  private boolean open = true;

  /**
   * Takes memory; its content is undefined.
   *
   * @param what it is for, and {@code advice} how to need less: for the message
   * @throws OutOfDeviceMemoryException if the GPU has not so much
   */
  public DeviceMemory(CudaContext context, long bytes, String what, String advice) {
    this.context = context;
    this.driver = context.driver;
    this.bytes = bytes;
    context.bind();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
      int status =
          (int) driver.calls.memoryAllocate().invokeExact(out.address(), Math.max(1, bytes));
      driver.checkAllocation(status, bytes, what, advice, context::freeBytes);
      address = out.get(ValueLayout.JAVA_LONG, 0);
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
    // What compute-sanitizer's addresses are read by.
    LOG.log(
        System.Logger.Level.TRACE, "{0} at {1} .. {2}", what, hex(address), hex(address + bytes));
  }

  private static String hex(long address) {
    return "0x" + Long.toHexString(address);
  }

  public long bytes() {
    return bytes;
  }

  /** Address of byte {@code offset}. */
  long address(long offset) {
    Objects.checkIndex(offset, bytes + 1);
    if (!open) {
      throw new IllegalStateException("the GPU memory was freed");
    }
    return address + offset;
  }

  /** Sets {@code count} bytes from {@code offset} on. */
  public void fill(long offset, int value, long count, CudaStream stream) {
    Objects.checkFromIndexSize(offset, count, bytes);
    if (count == 0) {
      return;
    }
    try {
      driver.check(
          (int)
              driver
                  .calls
                  .fillBytes()
                  .invokeExact(address(offset), (byte) value, count, stream.handle),
          "cuMemsetD8Async");
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }

  /** Copies {@code count} bytes from pinned memory, which must stay as they are until done. */
  public void copyFrom(
      PinnedMemory source, long sourceOffset, long offset, long count, CudaStream stream) {
    Objects.checkFromIndexSize(offset, count, bytes);
    Objects.checkFromIndexSize(sourceOffset, count, source.bytes());
    try {
      driver.check(
          (int)
              driver
                  .calls
                  .copyToDevice()
                  .invokeExact(
                      address(offset), source.address() + sourceOffset, count, stream.handle),
          "cuMemcpyHtoDAsync_v2");
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }

  /** Copies {@code count} bytes to pinned memory; there once the stream has come so far. */
  public void copyTo(
      PinnedMemory target, long targetOffset, long offset, long count, CudaStream stream) {
    Objects.checkFromIndexSize(offset, count, bytes);
    Objects.checkFromIndexSize(targetOffset, count, target.bytes());
    try {
      driver.check(
          (int)
              driver
                  .calls
                  .copyToHost()
                  .invokeExact(
                      target.address() + targetOffset, address(offset), count, stream.handle),
          "cuMemcpyDtoHAsync_v2");
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
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
      driver.checkRelease((int) driver.calls.memoryFree().invokeExact(address), "cuMemFree_v2");
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }
}
