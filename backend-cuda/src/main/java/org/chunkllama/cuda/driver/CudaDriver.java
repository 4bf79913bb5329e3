package org.chunkllama.cuda.driver;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** The driver of this machine, mapped and initialised once per process. Thread-safe. */
final class CudaDriver {
  /** CUDA 12: what all functions of the table need, and the oldest that is tested. */
  private static final int OLDEST = 12000;

  private static final int OUT_OF_MEMORY = 2;

  private static @Nullable CudaDriver instance;

  /** A kernel or the hardware failed: from then on every call does, in this process. */
  volatile boolean lost;

  final DriverTable calls;
  final String path;
  final int version;

  CudaDriver(MappedLibrary library) {
    calls = NativeTable.bind(DriverTable.class, library);
    path = library.path();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_INT);
      check((int) calls.init().invokeExact(0), "cuInit");
      check((int) calls.driverVersion().invokeExact(out.address()), "cuDriverGetVersion");
      version = out.get(ValueLayout.JAVA_INT, 0);
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
    if (version < OLDEST) {
      throw new CudaException(
          "the NVIDIA driver is for CUDA %s; install one for CUDA %s or newer"
              .formatted(name(version), name(OLDEST)));
    }
  }

  /**
   * The driver.
   *
   * @throws CudaException if there is none, it is too old, or it finds no GPU
   */
  static synchronized CudaDriver get() {
    if (instance == null) {
      instance = new CudaDriver(LibraryFinder.map("install an NVIDIA driver", "libcuda.so.1"));
    }
    return instance;
  }

  /**
   * The driver's version; where there is none, such as for compiling alone, any library will do.
   */
  static int versionOrNewest() {
    try {
      return get().version;
    } catch (CudaException _) {
      return Integer.MAX_VALUE;
    }
  }

  /** 13000 as 13.0. */
  static String name(int version) {
    return version / 1000 + "." + version % 1000 / 10;
  }

  int devices() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_INT);
      check((int) calls.deviceCount().invokeExact(out.address()), "cuDeviceGetCount");
      return out.get(ValueLayout.JAVA_INT, 0);
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }

  /** What {@code call} returned must be success. */
  void check(int status, String call) {
    if (status != 0) {
      throw failure(status, call);
    }
  }

  /** The same for a call that gives something back: with a lost context it is gone already. */
  void checkRelease(int status, String call) {
    if (!lost) {
      check(status, call);
    }
  }

  /** The same for a call that takes GPU memory nobody can say the size of, for {@code what}. */
  void checkRoom(int status, String call, String what) {
    if (status == OUT_OF_MEMORY) {
      throw new OutOfDeviceMemoryException("no GPU memory is left for " + what);
    }
    check(status, call);
  }

  /** The same for an allocation: {@code what} takes the memory, {@code advice} gets it smaller. */
  void checkAllocation(int status, long bytes, String what, String advice, LongSupplier free) {
    if (status == OUT_OF_MEMORY) {
      throw new OutOfDeviceMemoryException(
          "%s needs %,d MiB of GPU memory, %,d MiB are free; %s"
              .formatted(what, mebibytes(bytes), free.getAsLong() >> 20, advice));
    }
    check(status, "cuMemAlloc_v2(" + bytes + " bytes for " + what + ")");
  }

  private static long mebibytes(long bytes) {
    return (bytes + (1 << 20) - 1) >> 20;
  }

  private CudaException failure(int status, String call) {
    return new CudaException(
        "%s failed: %s, %s".formatted(call, text(status, false), text(status, true)));
  }

  private String text(int status, boolean sentence) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
      int ignored =
          sentence
              ? (int) calls.errorString().invokeExact(status, out.address())
              : (int) calls.errorName().invokeExact(status, out.address());
      long text = out.get(ValueLayout.JAVA_LONG, 0);
      return ignored == 0 && text != 0 ? string(text) : "status " + status;
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }

  /** The C string at {@code address}. */
  static String string(long address) {
    return MemorySegment.ofAddress(address).reinterpret(4096).getString(0);
  }
}
