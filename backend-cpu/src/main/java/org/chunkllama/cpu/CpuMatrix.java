package org.chunkllama.cpu;

import java.util.List;
import org.chunkllama.spi.Dequantizer;
import org.chunkllama.spi.Matrix;
import org.chunkllama.spi.WeightTensor;
import org.jspecify.annotations.Nullable;

/**
 * A linear layer's weight: the parts as they lie in the file, stacked along the outputs, and the
 * packed copy that a product of many rows made for itself, if any.
 */
final class CpuMatrix implements Matrix {
  private final List<WeightTensor> parts;
  private final RowDecoder[] decoders;
  private final int[] firstOutputs; // [parts + 1]
  private final int inputs;

  private @Nullable PackedMatrix packed;
  private @Nullable OneDnnWeights bf16;
  private boolean mayCopy = true;
  private final boolean quantised;

  CpuMatrix(List<WeightTensor> parts) {
    if (parts.isEmpty()) {
      throw new IllegalArgumentException("a matrix needs at least one weight");
    }
    this.parts = List.copyOf(parts);
    this.inputs = parts.getFirst().columns();
    this.quantised = parts.stream().allMatch(part -> part.type().isQuantised());
    this.decoders = new RowDecoder[parts.size()];
    this.firstOutputs = new int[parts.size() + 1];
    for (int i = 0; i < decoders.length; i++) {
      WeightTensor part = parts.get(i);
      if (part.columns() != inputs) {
        throw new IllegalArgumentException(
            part.name() + " has " + part.columns() + " columns, " + inputs + " expected");
      }
      decoders[i] = RowDecoder.of(part.type());
      firstOutputs[i + 1] = Math.addExact(firstOutputs[i], part.rows());
    }
  }

  @Override
  public int outputs() {
    return firstOutputs[decoders.length];
  }

  @Override
  public int inputs() {
    return inputs;
  }

  @Override
  public long bytes() {
    return (packed == null ? 0 : packed.bytes()) + (bf16 == null ? 0 : bf16.bytes());
  }

  /** Copy for products by the Vector API; null if there is none. */
  @Nullable PackedMatrix packed() {
    return packed;
  }

  void packed(PackedMatrix copy) {
    packed = copy;
  }

  /** Copy for products by oneDNN; null if there is none. */
  @Nullable OneDnnWeights bf16() {
    return bf16;
  }

  void bf16(OneDnnWeights copy) {
    bf16 = copy;
  }

  /** False once a copy did not fit. */
  boolean mayCopy() {
    return mayCopy;
  }

  void neverCopy() {
    mayCopy = false;
  }

  /** Whether every part is stored in blocks with scales. */
  boolean isQuantised() {
    return quantised;
  }

  /** Frees the copies. */
  void close() {
    if (packed != null) {
      packed.close();
      packed = null;
    }
    if (bf16 != null) {
      bf16.close();
      bf16 = null;
    }
  }

  int parts() {
    return decoders.length;
  }

  WeightTensor part(int index) {
    return parts.get(index);
  }

  /** Outputs of part {@code index} begin here; of the part after the last, the number of all. */
  int firstOutput(int index) {
    return firstOutputs[index];
  }

  /** Part that holds output {@code output}. */
  int partOf(int output) {
    int part = 0;
    while (output >= firstOutputs[part + 1]) {
      part++;
    }
    return part;
  }

  /** Address of the weights of output {@code output}, which is in part {@code part}. */
  long address(int part, int output) {
    WeightTensor weight = parts.get(part);
    return weight.data().address() + (output - firstOutputs[part]) * weight.type().bytes(inputs);
  }

  /** Weights of an output as floats, fast. */
  void decode(int output, float[] out, int offset) {
    int part = partOf(output);
    decoders[part].decode(address(part, output), inputs, out, offset);
  }

  /** Weights of an output as floats, rounded as GGML's reference code rounds. */
  void row(int output, float[] out, int offset) {
    int part = partOf(output);
    Dequantizer.row(parts.get(part), output - firstOutputs[part], out, offset);
  }
}
