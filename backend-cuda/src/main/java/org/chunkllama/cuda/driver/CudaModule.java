package org.chunkllama.cuda.driver;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A cubin loaded into a context. The context must be bound to the calling thread. */
public final class CudaModule implements AutoCloseable {
  private final CudaContext context;
  private final String name;
  private final long handle;

  /**
   * Loads a cubin.
   *
   * @param name for messages
   */
  public CudaModule(CudaContext context, String name, byte[] cubin) {
    this.context = context;
    this.name = name;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
      MemorySegment image = arena.allocate(cubin.length, 64);
      MemorySegment.copy(cubin, 0, image, ValueLayout.JAVA_BYTE, 0, cubin.length);
      context.driver.check(
          (int) context.driver.calls.moduleLoad().invokeExact(out.address(), image.address()),
          "cuModuleLoadData(" + name + ")");
      handle = out.get(ValueLayout.JAVA_LONG, 0);
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }

  /** The kernel called {@code kernel}, which takes so many parameters. */
  public Kernel kernel(String kernel, int parameters) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
      context.driver.check(
          (int)
              context
                  .driver
                  .calls
                  .moduleFunction()
                  .invokeExact(out.address(), handle, arena.allocateFrom(kernel).address()),
          "cuModuleGetFunction(%s in %s)".formatted(kernel, name));
      return new Kernel(context.driver, out.get(ValueLayout.JAVA_LONG, 0), kernel, parameters);
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }

  /** The value of an int constant that the source exports. */
  public int constant(String constant) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG, 2);
      context.driver.check(
          (int)
              context
                  .driver
                  .calls
                  .moduleGlobal()
                  .invokeExact(
                      out.address(),
                      out.address() + 8,
                      handle,
                      arena.allocateFrom(constant).address()),
          "cuModuleGetGlobal_v2(%s in %s)".formatted(constant, name));
      MemorySegment value = arena.allocate(ValueLayout.JAVA_INT);
      context.driver.check(
          (int)
              context
                  .driver
                  .calls
                  .copyToHostNow()
                  .invokeExact(value.address(), out.get(ValueLayout.JAVA_LONG, 0), 4L),
          "cuMemcpyDtoH_v2(" + constant + ")");
      return value.get(ValueLayout.JAVA_INT, 0);
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }

  @Override
  public void close() {
    context.bind();
    try {
      context.driver.checkRelease(
          (int) context.driver.calls.moduleUnload().invokeExact(handle), "cuModuleUnload");
    } catch (Throwable e) {
      throw NativeTable.unexpected(e);
    }
  }
}
