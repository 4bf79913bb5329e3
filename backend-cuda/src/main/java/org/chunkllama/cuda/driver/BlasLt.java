package org.chunkllama.cuda.driver;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A handle of cuBLASLt on one context, with the workspace its products share. */
public final class BlasLt implements AutoCloseable {
  /** What NVIDIA recommends for Hopper. */
  private static final long WORKSPACE_BYTES = 32L << 20;

  final BlasLtTable calls;
  final long handle;
  final DeviceMemory workspace;
  private final CudaContext context;
  private final String path;
  private final long version;

  BlasLt(CudaContext context, MappedLibrary library) {
    this.context = context;
    path = library.path();
    calls = NativeTable.bind(BlasLtTable.class, library);
    context.bind();
    workspace =
        new DeviceMemory(
            context, WORKSPACE_BYTES, "the matrix products' workspace", "free some of it");
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
      check((int) calls.create().invokeExact(out.address()), "cublasLtCreate");
      handle = out.get(ValueLayout.JAVA_LONG, 0);
      version = (long) calls.version().invokeExact();
    } catch (Throwable e) {
      workspace.close();
      throw NativeTable.unexpected(e);
    }
  }

  /**
   * The library of this machine.
   *
   * @throws CudaException if it is not there
   */
  static MappedLibrary library() {
    String[] sonames = LibraryFinder.sonames("libcublasLt.so", CudaDriver.versionOrNewest());
    return LibraryFinder.map(LibraryFinder.NAME_FOLDER, sonames);
  }

  /**
   * Maps the library and says where it is.
   *
   * @throws CudaException if it is not there
   */
  public static String probe() {
    return library().path();
  }

  /** Where it was found. */
  public String path() {
    return path;
  }

  /** {@code 13.1.0}. */
  public String version() {
    return version / 10000 + "." + version % 10000 / 100 + "." + version % 100;
  }

  void check(int status, String call) {
    if (status != 0) {
      try {
        throw new CudaException(
            call + " failed: " + CudaDriver.string((long) calls.statusName().invokeExact(status)));
      } catch (Throwable e) {
        throw NativeTable.unexpected(e);
      }
    }
  }

  @Override
  public void close() {
    context.bind();
    try {
      int status = (int) calls.destroy().invokeExact(handle);
      if (!context.isLost()) {
        check(status, "cublasLtDestroy");
      }
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    } finally {
      workspace.close();
    }
  }
}
