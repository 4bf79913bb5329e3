package org.chunkllama.cuda;

import java.util.HashMap;
import java.util.Map;
import org.chunkllama.cuda.driver.CudaModule;
import org.chunkllama.cuda.driver.Kernel;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvLayout;
import org.jspecify.annotations.Nullable;

/**
 * Attention: the tensor-core kernel over 16-bit KV, its plain twin over fp32 KV and for groups that
 * the former does not take. Kernels are compiled at first use of a shape.
 */
final class CudaAttention implements AutoCloseable {
  private static final int ARGUMENTS = 16;
  private static final int GROUP_MAX = 16; // of the tensor-core kernel
  private static final int EXACT_THREADS = 256;
  private static final int EXACT_ROWS = 64; // times the group

  private record Key(KvLayout layout, int group) {}

  /** A kernel for one shape, and the tables it reads. */
  private record Compiled(
      Kernel kernel,
      AttentionShape shape,
      int threads,
      int sharedBytes,
      boolean waits,
      boolean twin,
      PlanTables tables) {}

  private final CudaDevice device;
  private final Map<Key, Compiled> compiled = new HashMap<>();

  CudaAttention(CudaDevice device) {
    this.device = device;
  }

  /** The tables for a cache and a number of query heads. */
  PlanTables tables(CudaKvCache cache, int queryHeads) {
    return compiled(cache, queryHeads).tables;
  }

  /** The tables used last for the cache; null if there were none. */
  @Nullable PlanTables lastTables(CudaKvCache cache) {
    return cache.lastCompiled() instanceof Compiled c ? c.tables : null;
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
    if (tables.hasBareRows()) {
      out.memory().fill(0, 0, (long) plan.rows * out.columns() * Float.BYTES, device.stream);
    }
    c.kernel
        .with(cache.memory(), cache.layerOffset(layer))
        .with(qkv.memory())
        .with((long) qkv.columns())
        .with(c.twin ? out.memory() : out.memoryToWrite())
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
    if (c.waits) {
      c.kernel.with(tables.structure(), tables.waitsOffset());
    }
    c.kernel.with(tables.recordCap());
    if (c.waits) {
      c.kernel.with(tables.waitCap());
    }
    c.kernel.with(scale);
    if (c.twin) {
      c.kernel.with(out.twinToWrite());
    }
    int lanes = c.shape.lanes();
    if (c.waits && lanes > 1) {
      c.kernel.launchTogether(device.stream, lanes, c.shape.kvHeads(), c.threads, c.sharedBytes);
    } else {
      c.kernel.launch(device.stream, lanes, c.shape.kvHeads(), c.threads, c.sharedBytes);
    }
  }

  private Compiled compiled(CudaKvCache cache, int queryHeads) {
    KvLayout layout = cache.layout();
    int group = queryHeads / layout.kvHeads();
    Compiled last = cache.lastCompiled() instanceof Compiled c ? c : null;
    if (last != null && last.shape.group() == group) {
      return last;
    }
    Compiled found =
        compiled.computeIfAbsent(
            new Key(layout, group),
            key -> layout.type() == DType.F32 || group > GROUP_MAX ? exact(key) : fast(key));
    cache.setLastCompiled(found);
    return found;
  }

  private Compiled fast(Key key) {
    KvLayout layout = key.layout;
    boolean eight = layout.type().isEightBit();
    // The next product reads what the kernel writes, in the type of KV or beside 8-bit KV in bf16.
    String product = device.products.name();
    boolean twin =
        product.equals(eight ? DType.BF16.name() : layout.type().name())
            && layout.headDim() % 8 == 0;
    CudaModule module =
        device.kernels.module(
            "attention.cu",
            "HEAD_DIM=" + layout.headDim(),
            "CHUNK=" + layout.chunkTokens(),
            "GROUP=" + key.group,
            "KV_BF16=" + (layout.type() == DType.BF16 ? 1 : 0),
            "KV_EIGHT=" + (eight ? layout.type() == DType.F8 ? 1 : 2 : 0),
            "IO_F32=1",
            "OUT_TWIN=" + (twin ? 1 : 0),
            "TWIN_BF16=" + (layout.type() == DType.F16 ? 0 : 1));
    Kernel kernel = module.kernel("attention", ARGUMENTS + (twin ? 3 : 2));
    int shared = module.constant("attention_shared_bytes");
    kernel.allowShared(shared);
    int rows = Math.max(1, module.constant("attention_row_cap") / key.group);
    int threads = module.constant("attention_threads");
    return compiled(kernel, key, 1, rows, threads, shared, true, twin);
  }

  private Compiled exact(Key key) {
    KvLayout layout = key.layout;
    String[] cache = CudaKvCache.constants(layout);
    CudaModule module =
        device.kernels.module(
            "attention_exact.cu", cache[0], cache[1], cache[2], "GROUP=" + key.group);
    Kernel kernel = module.kernel("attention_exact", ARGUMENTS);
    int rows = Math.max(1, EXACT_ROWS / key.group);
    return compiled(kernel, key, 4, rows, EXACT_THREADS, 0, false, false);
  }

  private Compiled compiled(
      Kernel kernel,
      Key key,
      int blocksPerUnit,
      int rowsMax,
      int threads,
      int shared,
      boolean waits,
      boolean twin) {
    int kvHeads = key.layout.kvHeads();
    int units = device.context.properties().multiprocessors() * blocksPerUnit;
    AttentionShape shape =
        new AttentionShape(
            kvHeads, key.group, key.layout.headDim(), Math.max(1, units / kvHeads), rowsMax);
    return new Compiled(kernel, shape, threads, shared, waits, twin, new PlanTables(device, shape));
  }

  @Override
  public void close() {
    compiled.values().forEach(c -> c.tables.close());
    compiled.clear();
  }
}
