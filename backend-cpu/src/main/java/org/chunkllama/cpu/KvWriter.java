package org.chunkllama.cpu;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static org.chunkllama.cpu.NativeMemory.ALL;

import org.chunkllama.plan.AttentionPlan;
import org.jspecify.annotations.Nullable;

/** Writes the K and V of a step's rows to their chunks. */
final class KvWriter implements Workers.Task {
  /** Neighbouring rows of a prefill slice share cache lines of K: one task writes them all. */
  private static final int ROWS_PER_TASK = 16;

  private static final float HALF_MAX = 65504f;

  private final Workers workers;
  private @Nullable CpuKvCache cache;
  private @Nullable AttentionPlan plan;
  private int layer;
  private int rowsPerTask;
  private long keys;
  private long rowBytes;

  KvWriter(Workers workers) {
    this.workers = workers;
  }

  /** Arguments are checked. K begins at column {@code firstColumn} of {@code qkv}, V after it. */
  void write(CpuKvCache cache, int layer, CpuTensor qkv, int firstColumn, AttentionPlan plan) {
    this.cache = cache;
    this.layer = layer;
    this.plan = plan;
    this.keys = qkv.address() + (long) Float.BYTES * firstColumn;
    this.rowBytes = qkv.rowBytes();
    this.rowsPerTask = Math.clamp(plan.rows / workers.count(), 1, ROWS_PER_TASK);
    workers.run(Math.ceilDiv(plan.rows, rowsPerTask), this);
  }

  @Override
  public void run(int index, int worker) {
    CpuKvCache to = cache;
    AttentionPlan rows = plan;
    if (to == null || rows == null) {
      return;
    }
    int first = index * rowsPerTask;
    int end = Math.min(rows.rows, first + rowsPerTask);
    int headBytes = Float.BYTES * to.layout().headDim();
    for (int head = 0; head < to.layout().kvHeads(); head++) {
      for (int row = first; row < end; row++) {
        long key = keys + row * rowBytes + (long) head * headBytes;
        long value = key + (long) to.layout().kvHeads() * headBytes;
        long block = to.keys(layer, rows.rowChunk[row], head);
        writeKey(to, key, block, rows.rowSlot[row]);
        writeValue(to, value, block + to.blockBytes(), rows.rowSlot[row]);
      }
    }
  }

  private static void writeKey(CpuKvCache to, long from, long block, int slot) {
    int dim = to.layout().headDim();
    int padded = to.paddedDim();
    long at = block + (long) (slot / CpuKvCache.PANEL) * to.panelBytes();
    at += (slot % CpuKvCache.PANEL) * 4L;
    switch (to.layout().type()) {
      case F32 -> {
        for (int i = 0; i < padded; i++) {
          NativeMemory.set(at + i * 64L, value(from, i, dim));
        }
      }
      case BF16 -> {
        for (int i = 0; i < padded; i += 2) {
          int pair = pair(bf16(value(from, i, dim)), bf16(value(from, i + 1, dim)));
          ALL.set(JAVA_INT_UNALIGNED, at + i * 32L, pair);
        }
      }
      default -> {
        for (int i = 0; i < padded; i += 2) {
          int pair = pair(half(value(from, i, dim)), half(value(from, i + 1, dim)));
          ALL.set(JAVA_INT_UNALIGNED, at + i * 32L, pair);
        }
      }
    }
  }

  private static void writeValue(CpuKvCache to, long from, long block, int slot) {
    int dim = to.layout().headDim();
    int padded = to.paddedDim();
    // Single shorts: the other slot of the pair may be another worker's.
    long at = block + (slot / 2) * 4L * padded + (slot & 1) * 2L;
    switch (to.layout().type()) {
      case F32 -> {
        for (int i = 0; i < padded; i++) {
          NativeMemory.set(block + (slot * (long) padded + i) * 4, value(from, i, dim));
        }
      }
      case BF16 -> {
        for (int i = 0; i < padded; i++) {
          ALL.set(JAVA_SHORT_UNALIGNED, at + i * 4L, bf16(value(from, i, dim)));
        }
      }
      default -> {
        for (int i = 0; i < padded; i++) {
          ALL.set(JAVA_SHORT_UNALIGNED, at + i * 4L, half(value(from, i, dim)));
        }
      }
    }
  }

  private static float value(long from, int i, int dim) {
    return i < dim ? NativeMemory.get(from + i * 4L) : 0;
  }

  private static int pair(short low, short high) {
    return (low & 0xffff) | (high << 16);
  }

  /** To the nearest bf16, ties to even; a NaN stays one. */
  static short bf16(float x) {
    int bits = Float.floatToRawIntBits(x);
    if (Float.isNaN(x)) {
      return (short) ((bits >>> 16) | 0x40); // quiet, whatever the low half held
    }
    return (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
  }

  /**
   * To the nearest half, clamped to the finite ones: kernels widen by shifts, which know no
   * infinity.
   */
  static short half(float x) {
    return Float.floatToFloat16(Math.clamp(x, -HALF_MAX, HALF_MAX));
  }
}
