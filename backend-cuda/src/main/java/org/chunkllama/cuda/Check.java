package org.chunkllama.cuda;

import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.Matrix;
import org.chunkllama.spi.Tensor;

/** Arguments of the backend's operations. Nothing is allocated while they are right. */
final class Check {
  private Check() {}

  /** {@code tensor} as this backend's, with room for {@code rows} rows. */
  static CudaTensor tensor(String what, Tensor tensor, int rows) {
    if (!(tensor instanceof CudaTensor mine)) {
      throw new IllegalArgumentException(what + " belongs to another backend");
    }
    if (rows < 0 || rows > mine.rows()) {
      throw new IllegalArgumentException(
          what + " has " + mine.rows() + " rows, " + rows + " asked");
    }
    return mine;
  }

  /** The same, and of exactly {@code columns} columns. */
  static CudaTensor tensor(String what, Tensor tensor, int rows, int columns) {
    CudaTensor mine = tensor(what, tensor, rows);
    if (mine.columns() != columns) {
      throw new IllegalArgumentException(
          what + " has " + mine.columns() + " columns, " + columns + " needed");
    }
    return mine;
  }

  static CudaMatrix matrix(Matrix matrix) {
    if (matrix instanceof CudaMatrix mine) {
      return mine;
    }
    throw new IllegalArgumentException("the matrix belongs to another backend");
  }

  /** The cache as this backend's; layer and plan fit it. */
  static CudaKvCache cache(KvCache cache, int layer, AttentionPlan plan) {
    if (!(cache instanceof CudaKvCache mine)) {
      throw new IllegalArgumentException("the KV cache belongs to another backend");
    }
    if (layer < 0 || layer >= mine.layout().layers()) {
      throw new IllegalArgumentException(
          "layer " + layer + " of " + mine.layout().layers() + " does not exist");
    }
    if (plan.chunkTokens != mine.layout().chunkTokens()) {
      throw new IllegalArgumentException(
          "the plan has chunks of %d tokens, the cache of %d"
              .formatted(plan.chunkTokens, mine.layout().chunkTokens()));
    }
    return mine;
  }

  @SuppressWarnings("ReferenceEquality") // the same memory, not equal values
  static void distinct(Tensor in, Tensor out) {
    if (in == out) {
      throw new IllegalArgumentException("input and output are the same tensor");
    }
  }

  /** Heads [0, heads) of {@code headDim} values from {@code firstColumn} on lie inside a row. */
  static void heads(CudaTensor tensor, int firstColumn, int heads, int headDim) {
    if (firstColumn < 0 || heads < 0 || firstColumn + (long) heads * headDim > tensor.columns()) {
      throw new IllegalArgumentException(
          "%d heads of %d from column %d do not fit %d columns"
              .formatted(heads, headDim, firstColumn, tensor.columns()));
    }
  }

  /** The first {@code count} of {@code values} exist and lie in [0, bound). */
  static void indices(String what, int[] values, int count, int bound) {
    if (count < 0 || count > values.length) {
      throw new IllegalArgumentException(
          values.length + " values of " + what + " given, " + count + " needed");
    }
    for (int i = 0; i < count; i++) {
      if (values[i] < 0 || values[i] >= bound) {
        throw new IllegalArgumentException(
            what + " " + values[i] + " is not in [0, " + bound + ")");
      }
    }
  }
}
