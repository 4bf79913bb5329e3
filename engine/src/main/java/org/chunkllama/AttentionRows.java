package org.chunkllama;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.Tensor;

/**
 * Carries a caller's floats to the backend's rows and back. A row of {@link #qkv} is {@code [query
 * heads | kv heads of K | kv heads of V]}; K and V of a query row, and queries of a K and V row,
 * are whatever was there before.
 */
final class AttentionRows implements AutoCloseable {
  /** Rows that there is room for at start, and that K and V are written in at a time. */
  static final int BATCH = 256;

  private final Backend backend;
  private final KvCache cache;
  private final int queryHeads;
  private final float scale;
  private final int queryColumns;
  private final int keyColumns;
  private final float[] row;
  private final AttentionPlan writes;
  private Tensor qkv;
  private Tensor out;

  AttentionRows(Backend backend, KvCache cache, int queryHeads, float scale) {
    this.backend = backend;
    this.cache = cache;
    this.queryHeads = queryHeads;
    this.scale = scale;
    this.queryColumns = queryHeads * cache.layout().headDim();
    this.keyColumns = cache.layout().kvHeads() * cache.layout().headDim();
    this.row = new float[queryColumns + 2 * keyColumns];
    this.writes = new AttentionPlan(cache.layout().chunkTokens());
    this.writes.ensureRows(BATCH);
    this.qkv = backend.tensor(BATCH, row.length);
    this.out = backend.tensor(BATCH, queryColumns);
  }

  /** Checks that a segment holds so many vectors of all KV heads, or of all query heads. */
  void check(String name, MemorySegment floats, long vectors, boolean query) {
    long columns = query ? queryColumns : keyColumns;
    long needed = Math.multiplyExact(Math.multiplyExact(vectors, columns), (long) Float.BYTES);
    if (floats.byteSize() != needed) {
      throw new InvalidRequestException(
          "%s must hold %d x %d floats = %d bytes, not %d"
              .formatted(name, vectors, columns, needed, floats.byteSize()));
    }
  }

  /**
   * Writes vector {@code index} of {@code k} and {@code v} to a slot, at the next {@link #flush}.
   */
  void writeKv(MemorySegment k, MemorySegment v, long index, int chunk, int slot) {
    if (writes.rows == BATCH) {
      flush();
    }
    long offset = index * keyColumns * Float.BYTES;
    copy(k, offset, row, queryColumns, keyColumns);
    copy(v, offset, row, queryColumns + keyColumns, keyColumns);
    int r = writes.rows++;
    writes.rowChunk[r] = chunk;
    writes.rowSlot[r] = slot;
    qkv.write(r, row, 0);
  }

  void flush() {
    if (writes.rows > 0) {
      writes.version++;
      backend.append(cache, 0, qkv, writes);
      writes.rows = 0;
    }
  }

  /** Makes room for so many query rows. */
  void ensure(int rows) {
    if (rows > qkv.rows()) {
      int size = Math.max(rows, 2 * qkv.rows());
      Tensor wider = backend.tensor(size, row.length);
      qkv.close();
      qkv = wider;
      Tensor widerOut = backend.tensor(size, queryColumns);
      out.close();
      out = widerOut;
    }
  }

  /** Takes vector {@code index} of {@code q} as query row {@code r}. */
  void writeQuery(int r, MemorySegment q, long index) {
    copy(q, index * queryColumns * Float.BYTES, row, 0, queryColumns);
    qkv.write(r, row, 0);
  }

  void attend(AttentionPlan plan) {
    backend.attention(cache, 0, qkv, queryHeads, scale, plan, out);
  }

  /** Gives the result of row {@code r} as vector {@code index} of {@code to}. */
  void readResult(int r, MemorySegment to, long index) {
    out.read(r, row, 0);
    long offset = index * queryColumns * Float.BYTES;
    MemorySegment.copy(row, 0, to, ValueLayout.JAVA_FLOAT_UNALIGNED, offset, queryColumns);
  }

  private static void copy(MemorySegment from, long offset, float[] to, int at, int count) {
    MemorySegment.copy(from, ValueLayout.JAVA_FLOAT_UNALIGNED, offset, to, at, count);
  }

  @Override
  public void close() {
    qkv.close();
    out.close();
  }
}
