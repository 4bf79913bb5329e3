package org.chunkllama.model;

import java.util.List;
import org.chunkllama.error.ModelFileException;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.Dequantizer;
import org.chunkllama.spi.Matrix;
import org.chunkllama.spi.Tensor;
import org.chunkllama.spi.WeightTensor;
import org.jspecify.annotations.Nullable;

/** Weights of a file, names and shapes checked. */
record StoredWeights(Backend backend, WeightSource source) implements WeightSupply {
  @Override
  public Matrix matrix(List<Part> parts) {
    return backend.matrix(parts.stream().map(this::find).toList());
  }

  @Override
  public Tensor vector(List<Part> parts) {
    int length = parts.stream().mapToInt(Part::columns).sum();
    float[] values = new float[length];
    int offset = 0;
    for (Part part : parts) {
      Dequantizer.row(find(part), 0, values, offset);
      offset += part.columns();
    }
    Tensor tensor = backend.tensor(1, length);
    tensor.write(0, values, 0);
    return tensor;
  }

  private WeightTensor find(Part part) {
    @Nullable WeightTensor weight = source.find(part.name()).orElse(null);
    if (weight == null) {
      throw new ModelFileException(
          "the model has no tensor " + part.name() + "; the file is incomplete, fetch it again");
    }
    if (weight.rows() != part.rows() || weight.columns() != part.columns()) {
      throw new ModelFileException(
          "tensor %s is %d x %d, its configuration asks for %d x %d; the file is broken, fetch it again"
              .formatted(
                  part.name(), weight.rows(), weight.columns(), part.rows(), part.columns()));
    }
    return weight;
  }
}
