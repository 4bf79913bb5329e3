package org.chunkllama.reference;

import org.chunkllama.spi.Tensor;

/** Argument checks that say what was given and what is needed. */
final class Check {
  private Check() {}

  @SuppressWarnings("AnnotateFormatMethod") // would need Error Prone's annotations at run time
  static void that(boolean condition, String format, Object... values) {
    if (!condition) {
      throw new IllegalArgumentException(format.formatted(values));
    }
  }

  /** The tensor as this backend's, with room for {@code rows} rows. */
  static ReferenceTensor tensor(String name, Tensor tensor, int rows) {
    if (!(tensor instanceof ReferenceTensor mine)) {
      throw new IllegalArgumentException(name + " belongs to another backend");
    }
    that(rows >= 0 && rows <= mine.rows(), "%s has %d rows, asked for %d", name, mine.rows(), rows);
    return mine;
  }

  static ReferenceTensor tensor(String name, Tensor tensor, int rows, int columns) {
    ReferenceTensor mine = tensor(name, tensor, rows);
    that(mine.columns() == columns, "%s has %d columns, %d needed", name, mine.columns(), columns);
    return mine;
  }

  @SuppressWarnings("ReferenceEquality") // the same memory is meant
  static void distinct(Tensor in, Tensor out) {
    that(in != out, "input and output must be different tensors");
  }
}
