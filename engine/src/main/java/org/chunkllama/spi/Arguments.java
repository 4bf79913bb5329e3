package org.chunkllama.spi;

import org.chunkllama.plan.AttentionPlan;

/**
 * Checks the arguments of a backend's operations and hands them back as that backend's own types.
 * Nothing is allocated while they are right. All throw {@link IllegalArgumentException}.
 *
 * @param <T> the backend's tensors
 * @param <M> its matrices
 * @param <C> its KV caches
 */
public final class Arguments<T extends Tensor, M extends Matrix, C extends KvCache> {
  private final Class<T> tensors;
  private final Class<M> matrices;
  private final Class<C> caches;

  /** For a backend with these types. */
  public Arguments(Class<T> tensors, Class<M> matrices, Class<C> caches) {
    this.tensors = tensors;
    this.matrices = matrices;
    this.caches = caches;
  }

  /** {@code tensor} as the backend's, with room for {@code rows} rows. */
  public T tensor(String what, Tensor tensor, int rows) {
    T mine = own(tensors, what, tensor);
    if (rows < 0 || rows > mine.rows()) {
      throw new IllegalArgumentException(
          what + " has " + mine.rows() + " rows, " + rows + " asked");
    }
    return mine;
  }

  /** The same, and of exactly {@code columns} columns. */
  public T tensor(String what, Tensor tensor, int rows, int columns) {
    T mine = tensor(what, tensor, rows);
    if (mine.columns() != columns) {
      throw new IllegalArgumentException(
          what + " has " + mine.columns() + " columns, " + columns + " needed");
    }
    return mine;
  }

  /** {@code matrix} as the backend's. */
  M matrix(Matrix matrix) {
    return own(matrices, "the matrix", matrix);
  }

  /** The cache as the backend's; layer and plan fit it. */
  public C cache(KvCache cache, int layer, AttentionPlan plan) {
    C mine = own(caches, "the KV cache", cache);
    KvLayout kv = mine.layout();
    if (layer < 0 || layer >= kv.layers()) {
      throw new IllegalArgumentException("layer " + layer + " of " + kv.layers() + " is asked");
    }
    if (plan.chunkTokens != kv.chunkTokens()) {
      throw new IllegalArgumentException(
          "the plan has chunks of %d tokens, the cache of %d"
              .formatted(plan.chunkTokens, kv.chunkTokens()));
    }
    return mine;
  }

  private static <X> X own(Class<X> type, String what, Object given) {
    if (!type.isInstance(given)) {
      throw new IllegalArgumentException(what + " belongs to another backend");
    }
    return type.cast(given);
  }

  /** Input and output are not the same memory. */
  @SuppressWarnings("ReferenceEquality") // the same memory, not equal values
  static void distinct(Tensor in, Tensor out) {
    if (in == out) {
      throw new IllegalArgumentException("input and output are the same tensor");
    }
  }

  /** Heads [0, heads) of {@code headDim} values from {@code firstColumn} on lie inside a row. */
  static void heads(Tensor tensor, int firstColumn, int heads, int headDim) {
    if (firstColumn < 0 || heads < 0 || firstColumn + (long) heads * headDim > tensor.columns()) {
      throw new IllegalArgumentException(
          "%d heads of %d from column %d do not fit %d columns"
              .formatted(heads, headDim, firstColumn, tensor.columns()));
    }
  }

  /** Columns of queries, keys and values in a row; query heads share KV heads evenly. */
  static int qkvColumns(KvLayout kv, int queryHeads) {
    if (queryHeads < 1 || queryHeads % kv.kvHeads() != 0) {
      throw new IllegalArgumentException(
          "%d query heads are no multiple of %d KV heads".formatted(queryHeads, kv.kvHeads()));
    }
    return (queryHeads + 2 * kv.kvHeads()) * kv.headDim();
  }

  /** Query heads in a row of so many columns. */
  static int queryHeads(KvLayout kv, int columns) {
    int heads = columns / kv.headDim() - 2 * kv.kvHeads();
    if (columns % kv.headDim() != 0 || heads < 0 || heads % kv.kvHeads() != 0) {
      throw new IllegalArgumentException(
          "qkv has %d columns, which are not queries, keys and values of %d KV heads of %d"
              .formatted(columns, kv.kvHeads(), kv.headDim()));
    }
    return heads;
  }

  /** A table rotates pairs of values inside a head. */
  static void rotated(RotaryTable table, int headDim) {
    if (table.rotatedDim() > headDim || table.rotatedDim() % 2 != 0) {
      throw new IllegalArgumentException(
          table.rotatedDim() + " values of a head of " + headDim + " cannot be rotated");
    }
  }

  /** The first {@code count} of {@code values} exist and lie in [0, bound). */
  public static void indices(String what, int[] values, int count, int bound) {
    room(what, values, count);
    for (int i = 0; i < count; i++) {
      if (values[i] < 0 || values[i] >= bound) {
        throw new IllegalArgumentException(
            what + " " + values[i] + " is not in [0, " + bound + ")");
      }
    }
  }

  /** {@code values} has {@code count} places. */
  static void room(String what, int[] values, int count) {
    if (count < 0 || count > values.length) {
      throw new IllegalArgumentException(
          values.length + " places for " + what + ", " + count + " needed");
    }
  }
}
