package org.chunkllama.cpu;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A compiled product {@code dst (+)= src . weights}, fp32 out: a primitive, and per worker the
 * objects that say where its operands lie, and scratch memory: what the library would manage itself
 * belongs to the primitive, and workers that run one primitive at once would overwrite each
 * other's.
 */
final class OneDnnMatmul implements AutoCloseable {
  private static final int ARGUMENTS = 4;
  private static final int ARGUMENT_BYTES = 16; // int, padding, handle
  private static final int SCRATCH_ALIGNMENT = 4096;
  private static final long NO_DATA = 0;

  /**
   * What is multiplied.
   *
   * @param rows of src and dst
   * @param outputs columns of weights and dst
   * @param inputs columns of src, rows of weights
   * @param type of src and weights, {@link OneDnn#BF16} or {@link OneDnn#F32}
   * @param dstStride floats from one row of dst to the next
   * @param add adds to dst
   * @param weights how the weights lie; 0 to choose
   */
  record Shape(
      int rows, int outputs, int inputs, int type, int dstStride, boolean add, long weights) {}

  private final OneDnnEngine engine;
  private final long primitive;
  private final long weightsDesc;
  private final long[] src;
  private final long[] dst;
  private final long[] weights;
  private final long[] scratch;
  private final Arena arena = Arena.ofShared();
  private final long[] arguments; // addresses

  OneDnnMatmul(OneDnnEngine engine, Shape shape) {
    this.engine = engine;
    OneDnn lib = engine.lib;
    long srcDesc = engine.matrixDesc(shape.rows, shape.inputs, shape.type, shape.inputs, 1);
    long dstDesc = engine.matrixDesc(shape.rows, shape.outputs, OneDnn.F32, shape.dstStride, 1);
    long wanted =
        shape.weights == 0
            ? engine.orderedDesc(shape.inputs, shape.outputs, shape.type, OneDnn.ANY)
            : engine.create(lib.memoryDescClone(), "dnnl_memory_desc_clone", shape.weights);
    long desc = primitiveDesc(srcDesc, wanted, dstDesc, shape.add);
    primitive = engine.create(lib.primitiveCreate(), "dnnl_primitive_create", desc);
    long chosen = query(desc, OneDnn.QUERY_WEIGHTS);
    weightsDesc = engine.create(lib.memoryDescClone(), "dnnl_memory_desc_clone", chosen);
    long scratchDesc = query(desc, OneDnn.QUERY_SCRATCHPAD); // owned by desc
    long scratchBytes = engine.size(scratchDesc);
    src = new long[engine.workers];
    dst = new long[engine.workers];
    weights = new long[engine.workers];
    scratch = new long[engine.workers];
    arguments = new long[engine.workers];
    for (int i = 0; i < engine.workers; i++) {
      src[i] = engine.memory(srcDesc, NO_DATA);
      dst[i] = engine.memory(dstDesc, NO_DATA);
      weights[i] = engine.memory(weightsDesc, NO_DATA);
      MemorySegment own = arena.allocate(Math.max(1, scratchBytes), SCRATCH_ALIGNMENT);
      scratch[i] = engine.memory(scratchDesc, own.address());
      arguments[i] = arguments(src[i], weights[i], dst[i], scratch[i]);
    }
    OneDnnEngine.destroy(lib.primitiveDescDestroy(), "dnnl_primitive_desc_destroy", desc);
    for (long d : new long[] {srcDesc, wanted, dstDesc}) {
      OneDnnEngine.destroy(lib.memoryDescDestroy(), "dnnl_memory_desc_destroy", d);
    }
  }

  private long primitiveDesc(long srcDesc, long wanted, long dstDesc, boolean add) {
    OneDnn lib = engine.lib;
    try (Arena local = Arena.ofConfined()) {
      MemorySegment out = local.allocate(JAVA_LONG);
      long p = out.address();
      OneDnn.check((int) lib.attrCreate().invokeExact(p), "dnnl_primitive_attr_create");
      long attr = out.get(JAVA_LONG, 0);
      OneDnn.check(
          (int) lib.attrSetScratchpadMode().invokeExact(attr, OneDnn.SCRATCHPAD_OF_CALLER),
          "dnnl_primitive_attr_set_scratchpad_mode");
      if (add) {
        OneDnn.check((int) lib.postOpsCreate().invokeExact(p), "dnnl_post_ops_create");
        long ops = out.get(JAVA_LONG, 0);
        OneDnn.check(
            (int) lib.postOpsAppendSum().invokeExact(ops, 1f, 0, OneDnn.F32),
            "dnnl_post_ops_append_sum");
        OneDnn.check(
            (int) lib.attrSetPostOps().invokeExact(attr, ops), "dnnl_primitive_attr_set_post_ops");
        OneDnnEngine.destroy(lib.postOpsDestroy(), "dnnl_post_ops_destroy", ops);
      }
      int status =
          (int)
              lib.matmulDescCreate()
                  .invokeExact(p, engine.handle(), srcDesc, wanted, 0L, dstDesc, attr);
      OneDnn.check(status, "dnnl_matmul_primitive_desc_create");
      long desc = out.get(JAVA_LONG, 0);
      OneDnnEngine.destroy(lib.attrDestroy(), "dnnl_primitive_attr_destroy", attr);
      return desc;
    } catch (OneDnnException e) {
      throw e;
    } catch (Throwable e) {
      throw OneDnn.unexpected(e);
    }
  }

  /** A description that a primitive's holds and owns. */
  private long query(long desc, int what) {
    try {
      return (long) engine.lib.primitiveDescQueryDesc().invokeExact(desc, what, 0);
    } catch (Throwable e) {
      throw OneDnn.unexpected(e);
    }
  }

  private long arguments(long src, long weights, long dst, long scratch) {
    MemorySegment block = arena.allocate((long) ARGUMENTS * ARGUMENT_BYTES, 8);
    int[] names = {OneDnn.ARG_SRC, OneDnn.ARG_WEIGHTS, OneDnn.ARG_DST, OneDnn.ARG_SCRATCHPAD};
    long[] handles = {src, weights, dst, scratch};
    for (int i = 0; i < ARGUMENTS; i++) {
      block.set(JAVA_INT, (long) i * ARGUMENT_BYTES, names[i]);
      block.set(JAVA_LONG, (long) i * ARGUMENT_BYTES + 8, handles[i]);
    }
    return block.address();
  }

  /** How the weights lie: for packing and for products of other numbers of rows. */
  long weightsDesc() {
    return weightsDesc;
  }

  /** Multiplies on the calling thread, which is worker {@code worker}. Addresses of the data. */
  void execute(int worker, long srcData, long weightsData, long dstData) {
    OneDnn lib = engine.lib;
    try {
      lib.setThreads().invokeExact(1); // the caller's own setting; an inherited one may differ
      check((int) lib.memorySetHandle().invokeExact(src[worker], srcData));
      check((int) lib.memorySetHandle().invokeExact(weights[worker], weightsData));
      check((int) lib.memorySetHandle().invokeExact(dst[worker], dstData));
      long stream = engine.stream(worker);
      int status =
          (int) lib.primitiveExecute().invokeExact(primitive, stream, ARGUMENTS, arguments[worker]);
      OneDnn.check(status, "dnnl_primitive_execute");
      OneDnn.check((int) lib.streamWait().invokeExact(stream), "dnnl_stream_wait");
    } catch (OneDnnException e) {
      throw e;
    } catch (Throwable e) {
      throw OneDnn.unexpected(e);
    }
  }

  private static void check(int status) {
    OneDnn.check(status, "dnnl_memory_set_data_handle");
  }

  @Override
  public void close() {
    OneDnn lib = engine.lib;
    for (int i = 0; i < engine.workers; i++) {
      OneDnnEngine.destroy(lib.memoryDestroy(), "dnnl_memory_destroy", src[i]);
      OneDnnEngine.destroy(lib.memoryDestroy(), "dnnl_memory_destroy", dst[i]);
      OneDnnEngine.destroy(lib.memoryDestroy(), "dnnl_memory_destroy", weights[i]);
      OneDnnEngine.destroy(lib.memoryDestroy(), "dnnl_memory_destroy", scratch[i]);
    }
    OneDnnEngine.destroy(lib.memoryDescDestroy(), "dnnl_memory_desc_destroy", weightsDesc);
    OneDnnEngine.destroy(lib.primitiveDestroy(), "dnnl_primitive_destroy", primitive);
    arena.close();
  }
}
