package org.chunkllama.cuda.driver;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * A kernel and the memory for its arguments: setting and launching allocates nothing. Arguments are
 * given in the order of the kernel's parameters, then it is launched. One thread at a time.
 */
public final class Kernel {
  private static final int SHARED_BYTES_MAX = 8; // CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
  private static final int REGISTERS = 4;
  private static final int LOCAL_BYTES = 3;
  private static final int SHARED_BYTES = 1;

  private final CudaDriver driver;
  private final long function;
  private final String name;
  private final String call;
  private final String callTogether;
  private final String callEarly;
  private final int parameters;
  private final MemorySegment values; // [parameters] 8 bytes each
  private final MemorySegment pointers; // [parameters] where each value is
  private final LaunchConfig config = new LaunchConfig();
  private int next;

  Kernel(CudaDriver driver, long function, String name, int parameters) {
    this.driver = driver;
    this.function = function;
    this.name = name;
    this.call = "cuLaunchKernel(" + name + ")";
    this.callTogether = "cuLaunchCooperativeKernel(" + name + ")";
    this.callEarly = "cuLaunchKernelEx(" + name + ")";
    this.parameters = parameters;
    values = Arena.ofAuto().allocate(8L * parameters, 8);
    pointers = Arena.ofAuto().allocate(8L * parameters, 8);
    for (int i = 0; i < parameters; i++) {
      pointers.setAtIndex(ValueLayout.JAVA_LONG, i, values.address() + 8L * i);
    }
  }

  /** Its name in the source. */
  public String name() {
    return name;
  }

  /** The next argument: a pointer to the begin of {@code memory}, or null. */
  public Kernel with(@Nullable DeviceMemory memory) {
    return with(memory, 0);
  }

  /** The next argument: a pointer to byte {@code offset} of {@code memory}, or null. */
  public Kernel with(@Nullable DeviceMemory memory, long offset) {
    return with(memory == null ? 0L : memory.address(offset));
  }

  /** The next argument: a 64-bit integer. */
  public Kernel with(long value) {
    values.setAtIndex(ValueLayout.JAVA_LONG, next++, value);
    return this;
  }

  /** The next argument: an int. */
  public Kernel with(int value) {
    values.set(ValueLayout.JAVA_INT, 8L * next++, value);
    return this;
  }

  /** The next argument: a float. */
  public Kernel with(float value) {
    values.set(ValueLayout.JAVA_FLOAT, 8L * next++, value);
    return this;
  }

  /** Queues the kernel on a grid of {@code gridX * gridY} blocks of {@code threads}. */
  public void launch(CudaStream stream, int gridX, int gridY, int threads, int sharedBytes) {
    if (!ready(gridX, gridY)) {
      return;
    }
    try {
      driver.check(
          (int)
              driver
                  .calls
                  .launch()
                  .invokeExact(
                      function,
                      gridX,
                      gridY,
                      1,
                      threads,
                      1,
                      1,
                      sharedBytes,
                      stream.handle,
                      pointers.address(),
                      0L),
          call);
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }

  /**
   * The same for a kernel whose blocks wait for each other: all are on the GPU at once, or the
   * launch fails.
   */
  public void launchTogether(
      CudaStream stream, int gridX, int gridY, int threads, int sharedBytes) {
    if (!ready(gridX, gridY)) {
      return;
    }
    try {
      driver.check(
          (int)
              driver
                  .calls
                  .launchCooperative()
                  .invokeExact(
                      function,
                      gridX,
                      gridY,
                      1,
                      threads,
                      1,
                      1,
                      sharedBytes,
                      stream.handle,
                      pointers.address()),
          callTogether);
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }

  /**
   * The same for a kernel that waits itself for what the kernel before it writes (compute
   * capability 9.0 and newer): it may begin before that one has ended.
   */
  public void launchTogetherEarly(
      CudaStream stream, int gridX, int gridY, int threads, int sharedBytes) {
    if (!ready(gridX, gridY)) {
      return;
    }
    try {
      driver.check(
          (int)
              driver
                  .calls
                  .launchEx()
                  .invokeExact(
                      config.of(stream, gridX, gridY, threads, sharedBytes),
                      function,
                      pointers.address(),
                      0L),
          callEarly);
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }

  private boolean ready(int gridX, int gridY) {
    int given = next;
    next = 0;
    if (given != parameters) {
      throw new IllegalStateException(
          "%s takes %d arguments, %d were given".formatted(name, parameters, given));
    }
    return gridX > 0 && gridY > 0;
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
