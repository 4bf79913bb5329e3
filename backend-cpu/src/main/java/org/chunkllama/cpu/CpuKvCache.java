package org.chunkllama.cpu;

import static org.chunkllama.cpu.NativeMemory.ALL;

import java.lang.foreign.MemorySegment;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.KvLayout;

/**
 * {@code [layer][chunk][kv head][K block, V block]} in native memory; a block is one head of one
 * chunk, laid out so that both products of attention read vectors with no repacking.
 *
 * <ul>
 *   <li>K in panels of 16 slots, dimension-major: fp32 {@code [slot / 16][d][16]}. A vector is one
 *       dimension of neighbouring slots, so scores of a row are broadcast q times vectors.
 *   <li>V slot-major: fp32 {@code [slot][d]}. A vector is neighbouring dimensions of one slot.
 *   <li>bf16 and fp16: pairs along the direction of summation share 32 bits, low half first: K
 *       {@code [slot / 16][d / 2][16][2]}, V {@code [slot / 2][d][2]}. Widening gives two whole
 *       fp32 vectors, and it is the operand layout of bf16 dot products.
 * </ul>
 *
 * <p>d is the head dim rounded up to 16. Panels keep what a partly filled chunk uses, and what one
 * token writes, in few pages. Memory is taken from the system ahead of the first writes, see {@link
 * KvPopulator}.
 */
final class CpuKvCache implements KvCache {
  /** Slots of a panel of K. */
  static final int PANEL = 16;

  static final int MAX_HEAD_DIM = 256;

  private final KvLayout layout;
  private final int paddedDim;
  private final int chunks;
  private final long blockBytes;
  private final LargeMemory memory;
  private final KvPopulator populator;

  CpuKvCache(KvLayout layout, int chunks) {
    if (layout.headDim() > MAX_HEAD_DIM) {
      throw new IllegalArgumentException(
          "head dim %d is not supported by the cpu backend, at most %d is"
              .formatted(layout.headDim(), MAX_HEAD_DIM));
    }
    if (chunks < 1) {
      throw new IllegalArgumentException("a KV cache needs at least one chunk, not " + chunks);
    }
    this.layout = layout;
    this.chunks = chunks;
    this.paddedDim = Math.ceilDiv(layout.headDim(), 16) * 16;
    this.blockBytes = layout.type().bytes((long) layout.chunkTokens() * paddedDim);
    long blocks = 2L * layout.layers() * layout.kvHeads();
    this.memory = new LargeMemory(Math.multiplyExact(blocks * blockBytes, (long) chunks));
    long layerBytes = 2L * layout.kvHeads() * blockBytes * chunks;
    this.populator = new KvPopulator(memory, layout.layers(), layerBytes);
  }

  @Override
  public KvLayout layout() {
    return layout;
  }

  @Override
  public int chunks() {
    return chunks;
  }

  /** The head dim of blocks, d: rounded up to 16; the padding holds zeros in written slots. */
  int paddedDim() {
    return paddedDim;
  }

  /** Bytes of a block: K or V of one head of one chunk. */
  long blockBytes() {
    return blockBytes;
  }

  /** True for bf16 and fp16. */
  boolean paired() {
    return layout.type() != DType.F32;
  }

  /** Bytes of a panel of K. */
  int panelBytes() {
    return PANEL * paddedDim * layout.type().blockBytes();
  }

  /**
   * Address of the K block; V's follows it, {@link #blockBytes} further. Arguments are not checked.
   */
  long keys(int layer, int chunk, int head) {
    return memory.address()
        + ((((long) layer * chunks + chunk) * layout.kvHeads() + head) * 2) * blockBytes;
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
    for (int layer = 0; layer < layout.layers(); layer++) {
      for (int head = 0; head < layout.kvHeads(); head++) {
        long source = keys(layer, from, head);
        long target = keys(layer, to, head);
        copyKeys(source, target, slots);
        copyValues(source + blockBytes, target + blockBytes, slots);
      }
    }
  }

  private void copyKeys(long source, long target, int slots) {
    long whole = (long) (slots / PANEL) * panelBytes();
    MemorySegment.copy(ALL, source, ALL, target, whole);
    long rest = (slots % PANEL) * 4L; // a line of a panel: 16 slots, 4 bytes each
    for (long at = whole; rest > 0 && at < whole + panelBytes(); at += PANEL * 4L) {
      MemorySegment.copy(ALL, source + at, ALL, target + at, rest);
    }
  }

  private void copyValues(long source, long target, int slots) {
    int last = paired() ? slots & 1 : 0; // shares its 32 bits with a slot that stays
    long whole = layout.type().bytes((long) (slots - last) * paddedDim);
    MemorySegment.copy(ALL, source, ALL, target, whole);
    for (long at = whole; last == 1 && at < whole + paddedDim * 4L; at += 4) {
      MemorySegment.copy(ALL, source + at, ALL, target + at, 2);
    }
  }

  @Override
  public void close() {
    populator.close();
    memory.close();
  }
}
