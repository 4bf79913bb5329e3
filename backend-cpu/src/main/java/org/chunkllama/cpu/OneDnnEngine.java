package org.chunkllama.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.HashMap;
import java.util.Map;

/**
 * oneDNN on the CPU: its engine, a stream per worker, and the products made so far. Made and closed
 * by the backend's thread; products run on all workers.
 */
final class OneDnnEngine implements AutoCloseable {
  final OneDnn lib;
  final int workers;
  private final long engine;
  private final long[] streams;
  private final Map<OneDnnMatmul.Shape, OneDnnMatmul> products = new HashMap<>();

  OneDnnEngine(OneDnn lib, int workers) {
    this.lib = lib;
    this.workers = workers;
    this.streams = new long[workers];
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
      long p = out.address();
      OneDnn.check((int) lib.engineCreate().invokeExact(p, OneDnn.CPU, 0L), "dnnl_engine_create");
      engine = out.get(ValueLayout.JAVA_LONG, 0);
      for (int i = 0; i < workers; i++) {
        OneDnn.check(
            (int) lib.streamCreate().invokeExact(p, engine, OneDnn.IN_ORDER), "dnnl_stream_create");
        streams[i] = out.get(ValueLayout.JAVA_LONG, 0);
      }
    } catch (OneDnnException e) {
      throw e;
    } catch (Throwable e) {
      throw OneDnn.unexpected(e);
    }
  }

  long handle() {
    return engine;
  }

  long stream(int worker) {
    return streams[worker];
  }

  /** The product of a shape, made at first use and kept. Only for the backend's thread. */
  OneDnnMatmul matmul(OneDnnMatmul.Shape shape) {
    return products.computeIfAbsent(shape, s -> new OneDnnMatmul(this, s));
  }

  /** Makes something through a call that writes one handle and takes one more argument. */
  long create(MethodHandle call, String name, long argument) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
      OneDnn.check((int) call.invokeExact(out.address(), argument), name);
      return out.get(ValueLayout.JAVA_LONG, 0);
    } catch (OneDnnException e) {
      throw e;
    } catch (Throwable e) {
      throw OneDnn.unexpected(e);
    }
  }

  /** Frees something. */
  static void destroy(MethodHandle call, String name, long handle) {
    try {
      OneDnn.check((int) call.invokeExact(handle), name);
    } catch (OneDnnException e) {
      throw e;
    } catch (Throwable e) {
      throw OneDnn.unexpected(e);
    }
  }

  /** A matrix of {@code rows} x {@code columns} with these distances in values. */
  long matrixDesc(long rows, long columns, int type, long rowStride, long columnStride) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
      int status =
          (int)
              lib.memoryDescCreate()
                  .invokeExact(
                      out.address(),
                      2,
                      dimensions(arena, rows, columns),
                      type,
                      dimensions(arena, rowStride, columnStride));
      OneDnn.check(status, "dnnl_memory_desc_create_with_strides");
      return out.get(ValueLayout.JAVA_LONG, 0);
    } catch (OneDnnException e) {
      throw e;
    } catch (Throwable e) {
      throw OneDnn.unexpected(e);
    }
  }

  /**
   * A matrix in an order that has a name.
   *
   * @param order {@link OneDnn#ANY}: what a primitive likes best
   */
  long orderedDesc(long rows, long columns, int type, int order) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
      long dims = dimensions(arena, rows, columns);
      int status = (int) lib.memoryDescCreateTag().invokeExact(out.address(), 2, dims, type, order);
      OneDnn.check(status, "dnnl_memory_desc_create_with_tag");
      return out.get(ValueLayout.JAVA_LONG, 0);
    } catch (OneDnnException e) {
      throw e;
    } catch (Throwable e) {
      throw OneDnn.unexpected(e);
    }
  }

  /** Bytes of what a description describes. */
  long size(long desc) {
    try {
      return (long) lib.memoryDescSize().invokeExact(desc);
    } catch (Throwable e) {
      throw OneDnn.unexpected(e);
    }
  }

  private static long dimensions(Arena arena, long first, long second) {
    MemorySegment dims = arena.allocate(ValueLayout.JAVA_LONG, OneDnn.MAX_DIMENSIONS);
    dims.setAtIndex(ValueLayout.JAVA_LONG, 0, first);
    dims.setAtIndex(ValueLayout.JAVA_LONG, 1, second);
    return dims.address();
  }

  /** A memory object over {@code data}, or over nothing yet if 0. */
  long memory(long desc, long data) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
      int status = (int) lib.memoryCreate().invokeExact(out.address(), desc, engine, data);
      OneDnn.check(status, "dnnl_memory_create");
      return out.get(ValueLayout.JAVA_LONG, 0);
    } catch (OneDnnException e) {
      throw e;
    } catch (Throwable e) {
      throw OneDnn.unexpected(e);
    }
  }

  @Override
  public void close() {
    products.values().forEach(OneDnnMatmul::close);
    products.clear();
    for (long stream : streams) {
      destroy(lib.streamDestroy(), "dnnl_stream_destroy", stream);
    }
    destroy(lib.engineDestroy(), "dnnl_engine_destroy", engine);
  }
}
