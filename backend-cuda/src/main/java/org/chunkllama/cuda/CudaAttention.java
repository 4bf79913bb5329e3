package org.chunkllama.cuda;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.chunkllama.cuda.driver.CudaModule;
import org.chunkllama.cuda.driver.DeviceMemory;
import org.chunkllama.cuda.driver.Kernel;
import org.chunkllama.cuda.driver.KernelCall;
import org.chunkllama.cuda.driver.MatrixProduct;
import org.chunkllama.cuda.driver.Owned;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvLayout;
import org.jspecify.annotations.Nullable;

/**
 * Attention: the tensor-core kernel over 16-bit KV, its plain twin over fp32 KV and for groups that
 * the former does not take. Kernels are compiled at first use of a shape.
 */
final class CudaAttention implements AutoCloseable {
  private static final String FAST_SOURCE = "attention.cu";
  private static final String EXACT_SOURCE = "attention_exact.cu";
  private static final int ARGUMENTS = 16;
  private static final int GROUP_MAX = 16; // of the tensor-core kernel
  private static final int EXACT_THREADS = 256;
  private static final int EXACT_ROWS = 64; // times the group

  private record Key(KvLayout layout, int group) {}

  /** A kernel for one shape, the 16 bits in which it reads queries (null: fp32), and its tables. */
  private record Compiled(
      int version,
      Kernel kernel,
      AttentionShape shape,
      int threads,
      int sharedBytes,
      MatrixProduct.@Nullable Type queries,
      boolean twin,
      PlanTables tables) {
    /** Blocks of the tensor-core kernel wait for each other. */
    boolean waits() {
      return queries != null;
    }
  }

  private final CudaDevice device;
  private final Tunings tunings;
  private final Map<Key, Compiled> compiled = new HashMap<>();
  private int version; // rises with every other tuning

  CudaAttention(CudaDevice device) {
    this.device = device;
    tunings =
        new Tunings(
            device.context.properties(),
            KernelCompiler.fingerprint(FAST_SOURCE),
            new TuningFiles(device.folder));
  }

  /** What plans and tables for such caches go by. */
  Tunings tunings() {
    return tunings;
  }

  /** The tunings changed: tables are built anew. */
  void retune() {
    version++;
    close();
  }

  /** The tables for a cache and a number of query heads. */
  PlanTables tables(CudaKvCache cache, int queryHeads) {
    return compiled(cache, queryHeads).tables;
  }

  /** What attention over the cache reads queries as; null: as fp32. */
  MatrixProduct.@Nullable Type queryType(CudaKvCache cache, int queryHeads) {
    return compiled(cache, queryHeads).queries;
  }

  /** The tables used last for the cache; null if there are none (any more). */
  @Nullable PlanTables lastTables(CudaKvCache cache) {
    return cache.lastCompiled() instanceof Compiled c && c.version == version ? c.tables : null;
  }

  /** See {@link org.chunkllama.spi.Backend#attention}; arguments are checked. */
  void run(
      CudaKvCache cache,
      int layer,
      CudaTensor qkv,
      int queryHeads,
      float scale,
      AttentionPlan plan,
      CudaTensor out) {
    Compiled c = compiled(cache, queryHeads);
    PlanTables tables = c.tables.of(plan);
    DeviceMemory twin = c.twin ? out.twinToWriteAlone(plan.rows) : null;
    DeviceMemory full = twin == null ? out.memoryToWrite() : null;
    if (tables.hasBareRows()) {
      long values = (long) plan.rows * out.columns();
      if (twin == null) {
        out.memory().fill(0, 0, values * Float.BYTES, device.stream);
      } else {
        twin.fill(0, 0, values * Short.BYTES, device.stream);
      }
    }
    KernelCall call = c.kernel.call().with(cache.memory(), cache.layerOffset(layer));
    if (c.queries == null) {
      call.with(qkv.memory()).with((long) qkv.columns());
    } else {
      QueryTwin queries = qkv.queries(c.queries, out.columns(), plan.rows);
      call.with(queries.memory()).with((long) queries.stride());
    }
    call.with(full)
        .with((long) out.columns())
        .with(tables.structure())
        .with(tables.lengths())
        .with(tables.structure(), tables.chunkIdsOffset())
        .with(tables.lengths(), tables.rowPositionOffset())
        .with(tables.structure(), tables.rowPartialStartOffset())
        .with(tables.structure(), tables.rowPartialOffset())
        .with(tables.states())
        .with(tables.states(), tables.statesMlOffset())
        .with(tables.arrivals());
    if (c.waits()) {
      call.with(tables.structure(), tables.waitsOffset());
    }
    call.with(tables.recordCap());
    if (c.waits()) {
      call.with(tables.waitCap());
    }
    call.with(scale);
    if (c.twin) {
      call.with(twin);
    }
    int lanes = c.shape.lanes();
    int kvHeads = c.shape.kvHeads();
    if (!c.waits()) {
      call.launch(device.stream, lanes, kvHeads, c.threads, c.sharedBytes);
    } else if (lanes == 1) {
      call.launchEarly(device.stream, lanes, kvHeads, c.threads, c.sharedBytes);
    } else {
      call.launchTogether(device.stream, lanes, kvHeads, c.threads, c.sharedBytes, true);
    }
  }

  private Compiled compiled(CudaKvCache cache, int queryHeads) {
    KvLayout layout = cache.layout();
    int group = queryHeads / layout.kvHeads();
    Compiled last = cache.lastCompiled() instanceof Compiled c ? c : null;
    if (last != null && last.version == version && last.shape.group() == group) {
      return last;
    }
    Compiled found =
        compiled.computeIfAbsent(
            new Key(layout, group), key -> isExact(key) ? exact(key) : fast(key));
    cache.setLastCompiled(found);
    return found;
  }

  /** Begins to compile the kernel for such caches. */
  void prepare(KvLayout layout, int group) {
    Key key = new Key(layout, group);
    if (isExact(key)) {
      device.kernels.prepare(EXACT_SOURCE, exactConstants(key));
    } else {
      device.kernels.prepare(FAST_SOURCE, fastConstants(key));
    }
  }

  private static boolean isExact(Key key) {
    return key.layout.type() == DType.F32 || key.group > GROUP_MAX;
  }

  /** The next product reads what the kernel writes; rows of both are equally long then. */
  private static boolean hasTwin(KvLayout layout, MatrixProduct.Type products) {
    return products != MatrixProduct.Type.F32 && layout.headDim() % 8 == 0;
  }

  private String[] fastConstants(Key key) {
    return fastConstants(key.layout, key.group, device.products);
  }

  /** The constants of the kernel over 16- and 8-bit KV, beside products of a type. */
  static String[] fastConstants(KvLayout layout, int group, MatrixProduct.Type products) {
    return new String[] {
      "HEAD_DIM=" + layout.headDim(),
      "CHUNK=" + layout.chunkTokens(),
      "GROUP=" + group,
      "KV_BF16=" + (layout.type() == DType.BF16 ? 1 : 0),
      "KV_EIGHT=" + (layout.type() == DType.F8 ? 1 : layout.type() == DType.I8 ? 2 : 0),
      "IO_F32=0",
      "OUT_F32=1",
      "OUT_TWIN=" + (hasTwin(layout, products) ? 1 : 0),
      "TWIN_BF16=" + (products == MatrixProduct.Type.BF16 ? 1 : 0)
    };
  }

  private static String[] exactConstants(Key key) {
    String[] cache = CudaKvCache.constants(key.layout);
    return new String[] {cache[0], cache[1], cache[2], "GROUP=" + key.group};
  }

  private Compiled fast(Key key) {
    boolean bf16 = key.layout.type() == DType.BF16;
    MatrixProduct.Type queries = bf16 ? MatrixProduct.Type.BF16 : MatrixProduct.Type.F16;
    boolean twin = hasTwin(key.layout, device.products);
    CudaModule module = device.kernels.module(FAST_SOURCE, fastConstants(key));
    Kernel kernel = module.kernel("attention", ARGUMENTS + (twin ? 3 : 2));
    int shared = module.constant("attention_shared_bytes");
    kernel.allowShared(shared);
    int threads = module.constant("attention_threads");
    int cap = module.constant("attention_row_cap");
    return compiled(kernel, key, 1, cap, threads, shared, queries, twin);
  }

  private Compiled exact(Key key) {
    CudaModule module = device.kernels.module(EXACT_SOURCE, exactConstants(key));
    Kernel kernel = module.kernel("attention_exact", ARGUMENTS);
    return compiled(kernel, key, 4, EXACT_ROWS, EXACT_THREADS, 0, null, false);
  }

  private Compiled compiled(
      Kernel kernel,
      Key key,
      int blocksPerUnit,
      int rowCap,
      int threads,
      int shared,
      MatrixProduct.@Nullable Type queries,
      boolean twin) {
    int kvHeads = key.layout.kvHeads();
    CudaTuning tuning = tunings.of(key.layout, kvHeads * key.group);
    int units = device.context.properties().multiprocessors() * blocksPerUnit;
    AttentionShape shape =
        new AttentionShape(
            kvHeads,
            key.group,
            key.layout.headDim(),
            tuning.lanes(units, kvHeads),
            tuning.rowsMax(rowCap, key.group));
    PlanTables tables = new PlanTables(device, shape, tuning, KvCosts.of(key.layout.type()));
    return new Compiled(version, kernel, shape, threads, shared, queries, twin, tables);
  }

  @Override
  public void close() {
    List<PlanTables> all = compiled.values().stream().map(c -> c.tables).toList();
    compiled.clear();
    Owned.closeAll(all);
  }
}
