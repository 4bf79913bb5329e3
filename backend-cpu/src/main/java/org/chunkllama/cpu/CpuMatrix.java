package org.chunkllama.cpu;

import java.util.List;
import org.chunkllama.spi.Dequantizer;
import org.chunkllama.spi.Matrix;
import org.chunkllama.spi.WeightTensor;

/** A linear layer's weight: the mapped parts, stacked along the outputs. */
final class CpuMatrix implements Matrix {
  private final List<WeightTensor> parts;
  private final int outputs;
  private final int inputs;

  CpuMatrix(List<WeightTensor> parts) {
    if (parts.isEmpty()) {
      throw new IllegalArgumentException("a matrix needs at least one weight");
    }
    this.parts = List.copyOf(parts);
    this.inputs = parts.getFirst().columns();
    int rows = 0;
    for (WeightTensor part : parts) {
      if (part.columns() != inputs) {
        throw new IllegalArgumentException(
            part.name() + " has " + part.columns() + " columns, " + inputs + " expected");
      }
      rows = Math.addExact(rows, part.rows());
    }
    this.outputs = rows;
  }

  @Override
  public int outputs() {
    return outputs;
  }

  @Override
  public int inputs() {
    return inputs;
  }

  @Override
  public long bytes() {
    return 0;
  }

  /** Weights of output {@code output} as floats. */
  void row(int output, float[] out, int offset) {
    int row = output;
    int part = 0;
    while (row >= parts.get(part).rows()) {
      row -= parts.get(part++).rows();
    }
    Dequantizer.row(parts.get(part), row, out, offset);
  }
}
