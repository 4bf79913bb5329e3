package org.chunkllama.cpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/**
 * The functions of oneDNN's C interface that are called, and the constants they take. Handles and
 * pointers are {@code long}: passing them allocates nothing. Every function with a status returns
 * it; {@link #check} turns it into an exception.
 */
record OneDnn(
    MethodHandle engineCreate, // (dnnl_engine_t *, dnnl_engine_kind_t, size_t)
    MethodHandle engineDestroy, // (dnnl_engine_t)
    MethodHandle streamCreate, // (dnnl_stream_t *, dnnl_engine_t, unsigned)
    MethodHandle streamDestroy, // (dnnl_stream_t)
    MethodHandle streamWait, // (dnnl_stream_t)
    MethodHandle memoryDescCreate, // (desc *, int, dims, dnnl_data_type_t, dims strides)
    MethodHandle memoryDescCreateTag, // (desc *, int, dims, dnnl_data_type_t, dnnl_format_tag_t)
    MethodHandle memoryDescClone, // (desc *, const desc)
    MethodHandle memoryDescSize, // (const desc): size_t
    MethodHandle memoryDescDestroy, // (desc)
    MethodHandle memoryCreate, // (dnnl_memory_t *, const desc, dnnl_engine_t, void *)
    MethodHandle memorySetHandle, // (dnnl_memory_t, void *)
    MethodHandle memoryDestroy, // (dnnl_memory_t)
    MethodHandle attrCreate, // (dnnl_primitive_attr_t *)
    MethodHandle attrSetPostOps, // (dnnl_primitive_attr_t, const dnnl_post_ops_t)
    MethodHandle attrSetScratchpadMode, // (dnnl_primitive_attr_t, dnnl_scratchpad_mode_t)
    MethodHandle attrDestroy, // (dnnl_primitive_attr_t)
    MethodHandle postOpsCreate, // (dnnl_post_ops_t *)
    MethodHandle postOpsAppendSum, // (dnnl_post_ops_t, float, int32_t, dnnl_data_type_t)
    MethodHandle postOpsDestroy, // (dnnl_post_ops_t)
    MethodHandle matmulDescCreate, // (pd *, engine, src, weights, bias, dst, attr)
    MethodHandle reorderDescCreate, // (pd *, src, src engine, dst, dst engine, attr)
    MethodHandle primitiveDescQueryDesc, // (const pd, dnnl_query_t, int): const desc
    MethodHandle primitiveDescDestroy, // (pd)
    MethodHandle primitiveCreate, // (dnnl_primitive_t *, const pd)
    MethodHandle primitiveExecute, // (const primitive, stream, int, const dnnl_exec_arg_t *)
    MethodHandle primitiveDestroy, // (dnnl_primitive_t)
    MethodHandle setThreads) { // omp_set_num_threads(int)

  static final int CPU = 1;
  static final int IN_ORDER = 1;
  static final int BF16 = 2;
  static final int F32 = 3;
  static final int ANY = 1;

  /** dnnl_BA16a64b2a: weights {@code [outputs / 64][inputs / 2][64][2]}, inputs in 32s. */
  static final int PAIRS_OF_64 = 384;

  static final int QUERY_WEIGHTS = 131;
  static final int QUERY_SCRATCHPAD = 136;
  static final int SCRATCHPAD_OF_CALLER = 1;
  static final int ARG_SRC = 1;
  static final int ARG_DST = 17;
  static final int ARG_WEIGHTS = 33;
  static final int ARG_SCRATCHPAD = 80;
  static final int MAX_DIMENSIONS = 12;

  private static final String[] STATUS = {
    "success",
    "out of memory",
    "invalid arguments",
    "unimplemented",
    "last implementation reached",
    "runtime error",
    "not required"
  };

  /**
   * Binds the libraries in {@code folder}, which stay mapped until the JVM ends. OpenMP is told to
   * use one thread: the engine's workers are the threads.
   *
   * @throws IllegalArgumentException if a library cannot be loaded
   * @throws OneDnnException if a function is missing
   */
  static OneDnn load(Path folder) {
    setEnvironment("OMP_NUM_THREADS", "1"); // read when libgomp is loaded
    SymbolLookup openMp =
        SymbolLookup.libraryLookup(folder.resolve(OneDnnLibrary.OPENMP), Arena.global());
    SymbolLookup lib =
        SymbolLookup.libraryLookup(folder.resolve(OneDnnLibrary.ONEDNN), Arena.global());
    return new OneDnn(
        status(lib, "dnnl_engine_create", JAVA_LONG, JAVA_INT, JAVA_LONG),
        status(lib, "dnnl_engine_destroy", JAVA_LONG),
        status(lib, "dnnl_stream_create", JAVA_LONG, JAVA_LONG, JAVA_INT),
        status(lib, "dnnl_stream_destroy", JAVA_LONG),
        status(lib, "dnnl_stream_wait", JAVA_LONG),
        status(
            lib,
            "dnnl_memory_desc_create_with_strides",
            JAVA_LONG,
            JAVA_INT,
            JAVA_LONG,
            JAVA_INT,
            JAVA_LONG),
        status(
            lib,
            "dnnl_memory_desc_create_with_tag",
            JAVA_LONG,
            JAVA_INT,
            JAVA_LONG,
            JAVA_INT,
            JAVA_INT),
        status(lib, "dnnl_memory_desc_clone", JAVA_LONG, JAVA_LONG),
        bind(lib, "dnnl_memory_desc_get_size", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG)),
        status(lib, "dnnl_memory_desc_destroy", JAVA_LONG),
        status(lib, "dnnl_memory_create", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
        status(lib, "dnnl_memory_set_data_handle", JAVA_LONG, JAVA_LONG),
        status(lib, "dnnl_memory_destroy", JAVA_LONG),
        status(lib, "dnnl_primitive_attr_create", JAVA_LONG),
        status(lib, "dnnl_primitive_attr_set_post_ops", JAVA_LONG, JAVA_LONG),
        status(lib, "dnnl_primitive_attr_set_scratchpad_mode", JAVA_LONG, JAVA_INT),
        status(lib, "dnnl_primitive_attr_destroy", JAVA_LONG),
        status(lib, "dnnl_post_ops_create", JAVA_LONG),
        status(lib, "dnnl_post_ops_append_sum", JAVA_LONG, JAVA_FLOAT, JAVA_INT, JAVA_INT),
        status(lib, "dnnl_post_ops_destroy", JAVA_LONG),
        status(
            lib,
            "dnnl_matmul_primitive_desc_create",
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG),
        status(
            lib,
            "dnnl_reorder_primitive_desc_create",
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG),
        bind(
            lib,
            "dnnl_primitive_desc_query_md",
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT)),
        status(lib, "dnnl_primitive_desc_destroy", JAVA_LONG),
        status(lib, "dnnl_primitive_create", JAVA_LONG, JAVA_LONG),
        status(lib, "dnnl_primitive_execute", JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG),
        status(lib, "dnnl_primitive_destroy", JAVA_LONG),
        bind(openMp, "omp_set_num_threads", FunctionDescriptor.ofVoid(JAVA_INT)));
  }

  /** What {@code call} returned must be success. */
  static void check(int status, String call) {
    if (status != 0) {
      String meaning = status > 0 && status < STATUS.length ? STATUS[status] : "status " + status;
      throw new OneDnnException(call + ": " + meaning);
    }
  }

  /** For the exceptions that an exact invocation declares and a native call never throws. */
  static AssertionError unexpected(Throwable e) {
    return new AssertionError("a native call threw", e);
  }

  private static MethodHandle status(SymbolLookup lib, String name, MemoryLayout... arguments) {
    return bind(lib, name, FunctionDescriptor.of(JAVA_INT, arguments));
  }

  private static MethodHandle bind(SymbolLookup lib, String name, FunctionDescriptor type) {
    MemorySegment symbol =
        lib.find(name).orElseThrow(() -> new OneDnnException("the library has no " + name));
    return Linker.nativeLinker().downcallHandle(symbol, type);
  }

  private static void setEnvironment(String name, String value) {
    Linker linker = Linker.nativeLinker();
    MemorySegment symbol =
        linker
            .defaultLookup()
            .find("setenv")
            .orElseThrow(() -> new OneDnnException("the C library has no setenv"));
    MethodHandle setenv =
        linker.downcallHandle(symbol, FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_INT));
    try (Arena arena = Arena.ofConfined()) {
      check(
          (int) setenv.invokeExact(arena.allocateFrom(name), arena.allocateFrom(value), 1),
          "setenv");
    } catch (OneDnnException e) {
      throw e;
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }
}
