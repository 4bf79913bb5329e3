package org.chunkllama.reference;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.Dequantizer;
import org.chunkllama.spi.EightBit;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.KvLayout;

/** {@code [layer][chunk][K or V][kv head][slot][head dim]} in native memory, little-endian. */
final class ReferenceKvCache implements KvCache {
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final KvLayout layout;
  private final int chunks;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment data;

  ReferenceKvCache(KvLayout layout, int chunks) {
    Check.that(chunks >= 1, "a KV cache needs at least one chunk, not %d", chunks);
    this.layout = layout;
    this.chunks = chunks;
    this.data = arena.allocate(Math.multiplyExact(layout.bytesPerChunk(), (long) chunks), 64);
  }

  @Override
  public KvLayout layout() {
    return layout;
  }

  @Override
  public int chunks() {
    return chunks;
  }

  private long at(int layer, int chunk, boolean value, int head, int slot) {
    long vectors = ((long) layer * chunks + chunk) * 2 + (value ? 1 : 0);
    vectors = (vectors * layout.kvHeads() + head) * layout.chunkTokens() + slot;
    return vectors * layout.headBytes();
  }

  /** Stores one head of one token, rounding to the cache's type. */
  void put(int layer, int chunk, boolean value, int head, int slot, float[] from, int offset) {
    long at = at(layer, chunk, value, head, slot);
    if (layout.type().isEightBit()) {
      putEight(at, from, offset);
      return;
    }
    for (int i = 0; i < layout.headDim(); i++) {
      float x = from[offset + i];
      switch (layout.type()) {
        case F32 -> data.set(INT, at + 4L * i, Float.floatToRawIntBits(x));
        case F16 -> data.set(SHORT, at + 2L * i, Float.floatToFloat16(x));
        case BF16 -> data.set(SHORT, at + 2L * i, toBf16(x));
        default -> throw new AssertionError(layout.type());
      }
    }
  }

  /** Reads one head of one token. */
  void get(int layer, int chunk, boolean value, int head, int slot, float[] to) {
    DType type = layout.type();
    long at = at(layer, chunk, value, head, slot);
    if (!type.isEightBit()) {
      Dequantizer.row(type, data, at, layout.headDim(), to, 0);
      return;
    }
    float scale = Float.intBitsToFloat(data.get(INT, at));
    for (int i = 0; i < layout.headDim(); i++) {
      byte code = data.get(ValueLayout.JAVA_BYTE, at + EightBit.SCALE_BYTES + i);
      to[i] = EightBit.widen(type, code, scale);
    }
  }

  /** The scale, then the values. */
  private void putEight(long at, float[] from, int offset) {
    DType type = layout.type();
    float scale = EightBit.scale(type, from, offset, layout.headDim());
    data.set(INT, at, Float.floatToRawIntBits(scale));
    for (int i = 0; i < layout.headDim(); i++) {
      byte code = EightBit.narrow(type, from[offset + i], scale);
      data.set(ValueLayout.JAVA_BYTE, at + EightBit.SCALE_BYTES + i, code);
    }
  }

  /** To the nearest bf16, ties to even; a NaN stays one. */
  static short toBf16(float x) {
    int bits = Float.floatToRawIntBits(x);
    if (Float.isNaN(x)) {
      return (short) ((bits >>> 16) | 0x40); // quiet, whatever the low half held
    }
    return (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
  }

  @Override
  public void copy(int from, int to, int slots) {
    Check.that(
        from >= 0 && from < chunks && to >= 0 && to < chunks,
        "copy from chunk %d to %d of %d",
        from,
        to,
        chunks);
    Check.that(
        slots >= 0 && slots <= layout.chunkTokens(),
        "copy of %d slots, a chunk has %d",
        slots,
        layout.chunkTokens());
    long bytes = (long) slots * layout.headBytes();
    for (int layer = 0; layer < layout.layers(); layer++) {
      for (int head = 0; head < layout.kvHeads(); head++) {
        copyHead(layer, false, head, from, to, bytes);
        copyHead(layer, true, head, from, to, bytes);
      }
    }
  }

  private void copyHead(int layer, boolean value, int head, int from, int to, long bytes) {
    long source = at(layer, from, value, head, 0);
    MemorySegment.copy(data, source, data, at(layer, to, value, head, 0), bytes);
  }

  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
