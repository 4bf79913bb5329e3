package org.chunkllama.cuda.driver;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A kernel of a loaded module. Calling it allocates nothing. One thread at a time. */
public final class Kernel {
  private static final int SHARED_BYTES_MAX = 8; // CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
  private static final int REGISTERS = 4;
  private static final int LOCAL_BYTES = 3;
  private static final int SHARED_BYTES = 1;

  private final CudaDriver driver;
  private final long function;
  private final String name;
  private final KernelCall call;

  Kernel(CudaDriver driver, long function, String name, int parameters) {
    this.driver = driver;
    this.function = function;
    this.name = name;
    call = new KernelCall(driver, function, name, parameters);
  }

  /** Its name in the source. */
  public String name() {
    return name;
  }

  /** Begins a call; its arguments come next, then the launch. */
  public KernelCall call() {
    return call.begin();
  }

  /** Allows launches with up to {@code bytes} of shared memory. */
  public void allowShared(int bytes) {
    try {
      driver.check(
          (int) driver.calls.functionSetAttribute().invokeExact(function, SHARED_BYTES_MAX, bytes),
          "cuFuncSetAttribute(%s, %d bytes of shared memory)".formatted(name, bytes));
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }

  /** Registers, shared and local memory: what limits how many blocks run at once. */
  public String resources() {
    return "%s: %d registers, %d bytes shared, %d bytes local (spills)"
        .formatted(name, attribute(REGISTERS), attribute(SHARED_BYTES), attribute(LOCAL_BYTES));
  }

  private int attribute(int attribute) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_INT);
      driver.check(
          (int) driver.calls.functionAttribute().invokeExact(out.address(), attribute, function),
          "cuFuncGetAttribute(" + name + ")");
      return out.get(ValueLayout.JAVA_INT, 0);
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }
}
