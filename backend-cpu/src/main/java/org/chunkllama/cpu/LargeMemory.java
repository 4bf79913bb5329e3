package org.chunkllama.cpu;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * A large piece of native memory that the system fills with pages only where it is touched: an
 * arena would zero, and so occupy, all of it at once. Content is undefined until written. Where the
 * system can, it is asked for huge pages.
 */
final class LargeMemory implements AutoCloseable {
  private static final long HUGE_PAGE = 1L << 21;
  private static final int CACHE_LINE = 64;
  private static final int MADV_HUGEPAGE = 14;
  private static final int MADV_POPULATE_WRITE = 23; // Linux 5.14
  private static final long PAGE = 1L << 12;

  private static final MethodHandle MALLOC =
      function("malloc", FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_LONG))
          .orElseThrow();
  private static final MethodHandle FREE =
      function("free", FunctionDescriptor.ofVoid(ValueLayout.ADDRESS)).orElseThrow();
  private static final Optional<MethodHandle> MADVISE =
      System.getProperty("os.name").equals("Linux")
          ? function(
              "madvise",
              FunctionDescriptor.of(
                  ValueLayout.JAVA_INT,
                  ValueLayout.ADDRESS,
                  ValueLayout.JAVA_LONG,
                  ValueLayout.JAVA_INT))
          : Optional.empty();

  private final MemorySegment block;
  private final long address;
  private boolean open = true;

  /**
   * @throws OutOfMemoryError if the system refuses so much address space
   */
  LargeMemory(long bytes) {
    long alignment = bytes >= HUGE_PAGE ? HUGE_PAGE : CACHE_LINE;
    block = malloc(Math.addExact(bytes, alignment));
    address = (block.address() + alignment - 1) & -alignment;
    if (alignment == HUGE_PAGE) {
      // A refusal does no harm: pages are then of the usual size.
      var _ = advise(address, bytes & -HUGE_PAGE, MADV_HUGEPAGE);
    }
  }

  private static Optional<MethodHandle> function(String name, FunctionDescriptor type) {
    Linker linker = Linker.nativeLinker();
    SymbolLookup lookup = linker.defaultLookup();
    return lookup.find(name).map(address -> linker.downcallHandle(address, type));
  }

  private static MemorySegment malloc(long bytes) {
    MemorySegment block;
    try {
      block = (MemorySegment) MALLOC.invokeExact(bytes);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
    if (block.address() == 0) {
      throw new OutOfMemoryError("no " + bytes + " bytes of native memory to be had");
    }
    return block;
  }

  /**
   * Has the system put pages behind bytes [offset, offset + bytes) now, content untouched. Any
   * thread may call it while others write there.
   *
   * @return false if the system cannot, or has no memory left
   */
  boolean populate(long offset, long bytes) {
    long from = (address() + offset) & -PAGE;
    long end = (address() + offset + bytes + PAGE - 1) & -PAGE;
    return advise(from, end - from, MADV_POPULATE_WRITE);
  }

  private static boolean advise(long address, long bytes, int advice) {
    if (MADVISE.isEmpty()) {
      return false;
    }
    try {
      return 0 == (int) MADVISE.get().invokeExact(MemorySegment.ofAddress(address), bytes, advice);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /**
   * Address of the first byte, 64-byte aligned.
   *
   * @throws IllegalStateException if closed
   */
  long address() {
    if (!open) {
      throw new IllegalStateException("memory is closed");
    }
    return address;
  }

  @Override
  public void close() {
    if (open) {
      open = false;
      try {
        FREE.invokeExact(block);
      } catch (Throwable e) {
        throw new AssertionError(e);
      }
    }
  }
}
