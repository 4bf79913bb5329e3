package org.chunkllama.model;

import java.util.Arrays;
import java.util.List;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.Dequantizer;
import org.chunkllama.spi.Matrix;
import org.chunkllama.spi.RandomWeight;
import org.chunkllama.spi.Tensor;

/** Random weights: norms are ones, all else as {@link RandomWeight} says. */
record RandomWeights(Backend backend, long seed) implements WeightSupply {
  @Override
  public Matrix matrix(List<Part> parts) {
    return backend.randomMatrix(parts.stream().map(this::weight).toList());
  }

  @Override
  public Tensor vector(List<Part> parts) {
    int length = parts.stream().mapToInt(Part::columns).sum();
    float[] values = new float[length];
    int offset = 0;
    for (Part part : parts) {
      if (part.name().endsWith("norm.weight")) {
        Arrays.fill(values, offset, offset + part.columns(), 1);
      } else {
        Dequantizer.row(weight(part).tensor(), 0, values, offset);
      }
      offset += part.columns();
    }
    Tensor tensor = backend.tensor(1, length);
    tensor.write(0, values, 0);
    return tensor;
  }

  private RandomWeight weight(Part part) {
    return RandomWeight.named(part.name(), part.rows(), part.columns(), seed);
  }
}
