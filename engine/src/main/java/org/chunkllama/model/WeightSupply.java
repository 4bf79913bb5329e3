package org.chunkllama.model;

import java.util.List;
import org.chunkllama.spi.Matrix;
import org.chunkllama.spi.Tensor;

/** Puts weights on a backend, wherever they come from. */
interface WeightSupply {
  /**
   * A tensor that is wanted.
   *
   * @param name as {@link WeightSource} calls it
   * @param rows outputs; 1 for a vector
   * @param columns inputs
   */
  record Part(String name, int rows, int columns) {}

  /** Matrices of equal columns, stacked along their rows. */
  Matrix matrix(List<Part> parts);

  /** Vectors, one behind the other: one row. */
  Tensor vector(List<Part> parts);
}
