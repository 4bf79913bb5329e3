package org.chunkllama.cuda.driver;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import org.jspecify.annotations.Nullable;

/**
 * A kernel's arguments, in the order of its parameters, and the launch with them. One per kernel:
 * begun by {@link Kernel#call}, it allocates nothing, and what an earlier call that failed left
 * behind is gone. One thread at a time.
 */
public final class KernelCall {
  private final CudaDriver driver;
  private final long function;
  private final String name;
  private final String call;
  private final int parameters;
  private final MemorySegment values; // [parameters] 8 bytes each
  private final MemorySegment pointers; // [parameters] where each value is
  private final LaunchConfig config;
  private int next;

  KernelCall(CudaDriver driver, long function, String name, int parameters) {
    this.driver = driver;
    this.function = function;
    this.name = name;
    this.call = "cuLaunchKernelEx(" + name + ")";
    this.parameters = parameters;
    Arena arena = Arena.ofAuto(); // lives as long as one of the segments is known
    values = arena.allocate(8L * parameters, 8);
    pointers = arena.allocate(8L * parameters, 8);
    config = new LaunchConfig(arena);
    for (int i = 0; i < parameters; i++) {
      pointers.setAtIndex(ValueLayout.JAVA_LONG, i, values.address() + 8L * i);
    }
  }

  /** The first argument is next, whatever was given before. */
  KernelCall begin() {
    next = 0;
    return this;
  }

  /** The next argument: a pointer to the begin of {@code memory}, or null. */
  public KernelCall with(@Nullable DeviceMemory memory) {
    return with(memory, 0);
  }

  /** The next argument: a pointer to byte {@code offset} of {@code memory}, or null. */
  public KernelCall with(@Nullable DeviceMemory memory, long offset) {
    return with(memory == null ? 0L : memory.address(offset));
  }

  /** The next argument: a 64-bit integer. */
  public KernelCall with(long value) {
    values.setAtIndex(ValueLayout.JAVA_LONG, next++, value);
    return this;
  }

  /** The next argument: an int. */
  public KernelCall with(int value) {
    values.set(ValueLayout.JAVA_INT, 8L * next++, value);
    return this;
  }

  /** The next argument: a float. */
  public KernelCall with(float value) {
    values.set(ValueLayout.JAVA_FLOAT, 8L * next++, value);
    return this;
  }

  /**
   * Queues the kernel on a grid of {@code gridX * gridY} blocks of {@code threads}; nothing if the
   * grid is empty.
   *
   * @param sharedBytes dynamic shared memory of each block
   * @throws IllegalStateException if there are not as many arguments as parameters
   * @throws CudaException if the driver refuses the launch
   */
  public void launch(CudaStream stream, int gridX, int gridY, int threads, int sharedBytes) {
    launch(stream, gridX, gridY, threads, sharedBytes, false, false);
  }

  /**
   * The same for a kernel that waits itself for what the kernel before it writes: it may begin
   * before that one has ended, where the GPU can (compute capability 9.0 and newer).
   */
  public void launchEarly(CudaStream stream, int gridX, int gridY, int threads, int sharedBytes) {
    launch(stream, gridX, gridY, threads, sharedBytes, false, true);
  }

  /**
   * The same for a kernel whose blocks wait for each other: all are on the GPU at once, or the
   * launch fails.
   *
   * @param early as {@link #launchEarly}
   */
  public void launchTogether(
      CudaStream stream, int gridX, int gridY, int threads, int sharedBytes, boolean early) {
    launch(stream, gridX, gridY, threads, sharedBytes, true, early);
  }

  private void launch(
      CudaStream stream,
      int gridX,
      int gridY,
      int threads,
      int sharedBytes,
      boolean together,
      boolean early) {
    if (next != parameters) {
      throw new IllegalStateException(
          "%s takes %d arguments, %d were given".formatted(name, parameters, next));
    }
    if (gridX < 1 || gridY < 1) {
      return;
    }
    long how =
        config.of(
            stream, gridX, gridY, threads, sharedBytes, together, early && stream.overlapsKernels);
    try {
      driver.check(
          (int) driver.calls.launch().invokeExact(how, function, pointers.address(), 0L), call);
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    } finally {
      Reference.reachabilityFence(this); // its memory is read by address
    }
  }
}
