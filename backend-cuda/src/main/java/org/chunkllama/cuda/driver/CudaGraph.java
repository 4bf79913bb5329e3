package org.chunkllama.cuda.driver;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Recorded work that one call starts as a whole. */
public final class CudaGraph implements AutoCloseable {
  private final CudaDriver driver;
  private final long executable;

  private CudaGraph(CudaDriver driver, long executable) {
    this.driver = driver;
    this.executable = executable;
  }

  /**
   * Takes {@code graph} over.
   *
   * @throws OutOfDeviceMemoryException if the GPU has no room for it
   */
  static CudaGraph instantiate(CudaDriver driver, long graph) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
      driver.checkRoom(
          (int) driver.calls.graphInstantiate().invokeExact(out.address(), graph, 0L),
          "cuGraphInstantiateWithFlags",
          "a graph");
      return new CudaGraph(driver, out.get(ValueLayout.JAVA_LONG, 0));
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    } finally {
      destroy(driver, graph);
    }
  }

  static void destroy(CudaDriver driver, long graph) {
    try {
      driver.checkRelease((int) driver.calls.graphDestroy().invokeExact(graph), "cuGraphDestroy");
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }

  /** Queues the work again, with the arguments it was recorded with. */
  public void launch(CudaStream stream) {
    try {
      driver.check(
          (int) driver.calls.graphLaunch().invokeExact(executable, stream.handle), "cuGraphLaunch");
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }

  @Override
  public void close() {
    try {
      driver.checkRelease(
          (int) driver.calls.graphExecDestroy().invokeExact(executable), "cuGraphExecDestroy");
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }
}
