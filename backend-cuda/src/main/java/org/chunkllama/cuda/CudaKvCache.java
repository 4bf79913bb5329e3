package org.chunkllama.cuda;

import java.util.Objects;
import org.chunkllama.cuda.driver.DeviceMemory;
import org.chunkllama.cuda.driver.Kernel;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.EightBit;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.RotaryTable;
import org.jspecify.annotations.Nullable;

/**
 * {@code [layer][chunk][kv head][K, V]} tiles on the GPU; what lies where inside a tile is said in
 * {@code kv_layout.cuh}.
 */
final class CudaKvCache implements KvCache {
  static final int MAX_HEAD_DIM = 256;
  private static final int THREADS = 256;
  private static final int WARP = 32; // writes one head of 8-bit values
  private static final int FUSED_VALUES = 16; // of a thread

  private final CudaDevice device;
  private final KvLayout layout;
  private final int chunks;
  private final DeviceMemory memory;
  private final Kernel append;
  private final @Nullable Kernel rotaryAppend;
  private final Kernel copy;

  /** What {@link CudaAttention} used last, so that layers need no look-up. */
  private @Nullable Object lastCompiled;

  CudaKvCache(CudaDevice device, KvLayout layout, int chunks) {
    requireSupported(layout);
    if (chunks < 1) {
      throw new IllegalArgumentException("a KV cache needs at least one chunk, not " + chunks);
    }
    this.device = device;
    this.layout = layout;
    this.chunks = chunks;
    var module = device.kernels.module(source(layout), constants(layout));
    append = module.kernel("append", 6);
    rotaryAppend = isFusable(layout) ? module.kernel("rotary_append", 13) : null;
    copy = module.kernel("copy_slots", 6);
    memory =
        new DeviceMemory(
            device.context,
            Math.multiplyExact(layerBytes(), (long) layout.layers()),
            "the KV pool of %d chunks".formatted(chunks),
            "give it less with --kv-memory, or take a smaller --kv-type");
    // Copies of whole bands read slots that nobody wrote: zeros then, not what other processes
    // left.
    device.zero(memory);
  }

  /**
   * Says whether the kernels take such heads.
   *
   * @throws InvalidRequestException if not
   */
  static void requireSupported(KvLayout layout) {
    if (layout.headDim() > MAX_HEAD_DIM) {
      throw new InvalidRequestException(
          "the cuda backend takes heads of up to %d values, this model's have %d; choose the backend cpu"
              .formatted(MAX_HEAD_DIM, layout.headDim()));
    }
  }

  private static boolean isFusable(KvLayout layout) {
    return layout.type() != DType.F32 && layout.headDim() % FUSED_VALUES == 0;
  }

  static void prepare(CudaDevice device, KvLayout layout) {
    device.kernels.prepare(source(layout), constants(layout));
  }

  private static String source(KvLayout layout) {
    return layout.type().isEightBit() ? "kv_cache_eight.cu" : "kv_cache.cu";
  }

  /** The constants of kernels that read or write the cache. */
  static String[] constants(KvLayout layout) {
    return new String[] {
      "HEAD_DIM=" + layout.headDim(), "CHUNK=" + layout.chunkTokens(), type(layout.type())
    };
  }

  private static String type(DType type) {
    return switch (type) {
      case F32 -> "KV_TYPE=0";
      case F16 -> "KV_TYPE=1";
      case BF16 -> "KV_TYPE=2";
      case F8 -> "KV_EIGHT=1";
      case I8 -> "KV_EIGHT=2";
      default -> throw new IllegalArgumentException("KV type " + type);
    };
  }

  /** The head dim as stored. */
  private static int paddedDim(KvLayout layout) {
    return (layout.headDim() + 15) / 16 * 16;
  }

  /** Bytes of one head of a token, K or V: heads are stored as multiples of 16 values. */
  private static int headBytes(KvLayout layout) {
    int scale = layout.type().isEightBit() ? EightBit.SCALE_BYTES : 0;
    return paddedDim(layout) * layout.type().blockBytes() + scale;
  }

  /** What a chunk takes, K and V of all layers. */
  static long bytesPerChunk(KvLayout layout) {
    return 2L * layout.layers() * layout.kvHeads() * layout.chunkTokens() * headBytes(layout);
  }

  private long layerBytes() {
    return Math.multiplyExact(bytesPerChunk(layout) / layout.layers(), (long) chunks);
  }

  @Override
  public KvLayout layout() {
    return layout;
  }

  @Override
  public int chunks() {
    return chunks;
  }

  DeviceMemory memory() {
    return memory;
  }

  @Nullable Object lastCompiled() {
    return lastCompiled;
  }

  void setLastCompiled(Object compiled) {
    lastCompiled = compiled;
  }

  /** Byte at which a layer begins. */
  long layerOffset(int layer) {
    return layer * layerBytes();
  }

  /** Writes K and V of the first {@code rows} rows to the chunks and slots that the tables say. */
  void append(int layer, CudaTensor qkv, int rows, PlanTables tables) {
    int threads = 2 * layout.kvHeads() * (layout.type().isEightBit() ? WARP : paddedDim(layout));
    append
        .call()
        .with(memory, layerOffset(layer))
        .with(qkv.memory())
        .with(qkv.columns())
        .with(layout.kvHeads())
        .with(tables.structure(), tables.rowChunkOffset())
        .with(tables.lengths(), tables.rowSlotOffset())
        .launchEarly(device.stream, Math.ceilDiv(threads, THREADS), rows, THREADS, 0);
  }

  /** Whether {@link #rotaryAppend} can rotate so. */
  boolean rotates(RotaryTable table) {
    return rotaryAppend != null && table.rotatedDim() == layout.headDim();
  }

  /**
   * Rotates queries and keys of the first {@code rows} rows, and writes queries to {@code queries},
   * keys and values as {@link #append} does; {@code qkv} stays as it is.
   */
  void rotaryAppend(
      int layer,
      CudaTensor qkv,
      int rows,
      RotaryTables.OnDevice rotary,
      DeviceMemory positions,
      PlanTables tables,
      QueryTwin queries) {
    int heads = qkv.columns() / layout.headDim();
    // A power of two for each head: its threads find the scale of 8-bit values together.
    int parts = Integer.highestOneBit(2 * (layout.headDim() / FUSED_VALUES) - 1);
    Objects.requireNonNull(rotaryAppend)
        .call()
        .with(memory, layerOffset(layer))
        .with(qkv.memory())
        .with(qkv.columns())
        .with(heads - 2 * layout.kvHeads())
        .with(layout.kvHeads())
        .with(rotary.memory())
        .with(rotary.memory(), rotary.sinesOffset())
        .with(rotary.interleaved() ? 1 : 0)
        .with(positions)
        .with(tables.structure(), tables.rowChunkOffset())
        .with(tables.lengths(), tables.rowSlotOffset())
        .with(queries.memory())
        .with(queries.stride())
        .launchEarly(device.stream, Math.ceilDiv(heads * parts, THREADS), rows, THREADS, 0);
  }

  @Override
  public void copy(int from, int to, int slots) {
    if (Math.min(from, to) < 0 || Math.max(from, to) >= chunks) {
      throw new IllegalArgumentException(
          "copy from chunk " + from + " to " + to + ", the cache has " + chunks);
    }
    if (slots < 0 || slots > layout.chunkTokens()) {
      throw new IllegalArgumentException(
          "copy of " + slots + " slots, a chunk has " + layout.chunkTokens());
    }
    if (slots == 0 || from == to) {
      return;
    }
    device.context.bind();
    int values = 2 * layout.kvHeads() * slots * paddedDim(layout);
    copy.call()
        .with(memory)
        .with(layerBytes() / layout.type().blockBytes())
        .with(layout.kvHeads())
        .with(from)
        .with(to)
        .with(slots)
        .launch(device.stream, Math.ceilDiv(values, THREADS), layout.layers(), THREADS, 0);
  }

  @Override
  public void close() {
    device.handedOut.forget(this);
    device.release(memory);
  }
}
