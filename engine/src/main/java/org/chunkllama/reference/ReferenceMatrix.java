package org.chunkllama.reference;

import java.util.List;
import org.chunkllama.spi.Dequantizer;
import org.chunkllama.spi.Matrix;
import org.chunkllama.spi.WeightTensor;

/** Weights read in place, a row dequantised whenever it is needed. */
final class ReferenceMatrix implements Matrix {
  private final List<WeightTensor> parts;
  private final int inputs;
  private final int outputs;

  ReferenceMatrix(List<WeightTensor> parts) {
    Check.that(!parts.isEmpty(), "a matrix needs at least one part");
    this.parts = List.copyOf(parts);
    this.inputs = parts.getFirst().columns();
    int sum = 0;
    for (WeightTensor part : parts) {
      Check.that(
          part.columns() == inputs,
          "%s has %d columns, %s has %d",
          part.name(),
          part.columns(),
          parts.getFirst().name(),
          inputs);
      sum = Math.addExact(sum, part.rows());
    }
    this.outputs = sum;
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

  /** Row {@code output}, dequantised into {@code values[offset, offset + inputs)}. */
  void row(int output, float[] values, int offset) {
    int row = output;
    for (WeightTensor part : parts) {
      if (row < part.rows()) {
        Dequantizer.row(part, row, values, offset);
        return;
      }
      row -= part.rows();
    }
    throw new IndexOutOfBoundsException("output " + output + " of " + outputs);
  }
}
