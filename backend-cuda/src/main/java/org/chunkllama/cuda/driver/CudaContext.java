package org.chunkllama.cuda.driver;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * The primary context of one GPU: modules, streams and memory belong to it.
 *
 * <p>One thread at a time uses it; {@link #bind} makes the calling thread that one. What was made
 * from it must be closed before it.
 */
public final class CudaContext implements AutoCloseable {
  private static final int MULTIPROCESSORS = 16;
  private static final int L2_BYTES = 38;
  private static final int MAJOR = 75;
  private static final int MINOR = 76;
  private static final int SHARED_MAX = 97;
  private static final int OLDEST_MAJOR = 8;

  final CudaDriver driver;
  private final int device;
  private final GpuProperties properties;
  private final long handle;
  private @Nullable Thread bound;

  private CudaContext(CudaDriver driver, int device) {
    this.driver = driver;
    this.device = device;
    this.properties = properties(driver, device);
    requireNewEnough(properties);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
      driver.check(
          (int) driver.calls.contextRetain().invokeExact(out.address(), device),
          "cuDevicePrimaryCtxRetain");
      handle = out.get(ValueLayout.JAVA_LONG, 0);
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
    try {
      bind();
    } catch (RuntimeException e) {
      Owned.close(this, e);
      throw e;
    }
  }

  /**
   * Why {@link #open} would fail, as an exception to take the message from.
   *
   * @throws CudaException if there is no driver, no GPU, or one too old
   */
  public static GpuProperties probe(int ordinal) {
    CudaDriver driver = CudaDriver.get();
    GpuProperties properties = properties(driver, device(driver, ordinal));
    requireNewEnough(properties);
    return properties;
  }

  /** Opens the {@code ordinal}th GPU. */
  public static CudaContext open(int ordinal) {
    return open(CudaDriver.get(), ordinal);
  }

  static CudaContext open(CudaDriver driver, int ordinal) {
    return new CudaContext(driver, device(driver, ordinal));
  }

  private static void requireNewEnough(GpuProperties properties) {
    if (properties.major() < OLDEST_MAJOR) {
      throw new CudaException(
          "%s has compute capability %d.%d; kernels need 8.0 (Ampere) or newer"
              .formatted(properties.name(), properties.major(), properties.minor()));
    }
  }

  private static int device(CudaDriver driver, int ordinal) {
    int count = driver.devices();
    if (ordinal >= count) {
      throw new CudaException("there are " + count + " GPUs, number " + ordinal + " is asked for");
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_INT);
      driver.check(
          (int) driver.calls.deviceGet().invokeExact(out.address(), ordinal), "cuDeviceGet");
      return out.get(ValueLayout.JAVA_INT, 0);
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }

  private static GpuProperties properties(CudaDriver driver, int device) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = arena.allocate(256);
      driver.check(
          (int) driver.calls.deviceName().invokeExact(name.address(), 256, device),
          "cuDeviceGetName");
      return new GpuProperties(
          name.getString(0),
          attribute(driver, device, MAJOR),
          attribute(driver, device, MINOR),
          attribute(driver, device, MULTIPROCESSORS),
          attribute(driver, device, L2_BYTES),
          attribute(driver, device, SHARED_MAX),
          driver.version);
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }

  private static int attribute(CudaDriver driver, int device, int attribute) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_INT);
      driver.check(
          (int) driver.calls.deviceAttribute().invokeExact(out.address(), attribute, device),
          "cuDeviceGetAttribute");
      return out.get(ValueLayout.JAVA_INT, 0);
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }

  /** What the GPU is. */
  public GpuProperties properties() {
    return properties;
  }

  /** Where the driver was found. */
  public String driverPath() {
    return driver.path;
  }

  /**
   * Makes this the calling thread's context; cheap if it already is. A lost one may refuse: then
   * all other calls say so, and what would be given back is gone already.
   */
  @SuppressWarnings("ReferenceEquality") // the same thread is meant
  public void bind() {
    Thread current = Thread.currentThread();
    if (bound != current) {
      try {
        driver.checkRelease(
            (int) driver.calls.contextSetCurrent().invokeExact(handle), "cuCtxSetCurrent");
      } catch (Throwable e) {
        throw NativeTable.unexpected(e);
      }
      bound = current;
    }
  }

  /** A fault took the context along: all calls fail from now on, and nothing need be given back. */
  public void setLost() {
    driver.lost = true;
  }

  public boolean isLost() {
    return driver.lost;
  }

  /** Bytes of GPU memory that nobody has taken. */
  public long freeBytes() {
    bind();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG, 2);
      driver.check(
          (int) driver.calls.memoryInfo().invokeExact(out.address(), out.address() + 8),
          "cuMemGetInfo_v2");
      return out.get(ValueLayout.JAVA_LONG, 0);
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }

  @Override
  public void close() {
    try {
      driver.checkRelease(
          (int) driver.calls.contextRelease().invokeExact(device), "cuDevicePrimaryCtxRelease_v2");
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }
}
