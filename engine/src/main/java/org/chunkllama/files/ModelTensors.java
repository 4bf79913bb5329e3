package org.chunkllama.files;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.chunkllama.error.ModelFileException;
import org.chunkllama.error.UnsupportedModelException;
import org.chunkllama.model.ModelConfig;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.Dequantizer;
import org.chunkllama.spi.WeightTensor;

/** A file's tensors by canonical name, checked against the configuration. */
final class ModelTensors {
  /** Memory that tensors with blocks across rows may take when expanded. */
  private static final long MAX_EXPANDED_BYTES = 1L << 30;

  private final String file;
  private final Arena arena;
  private final Map<String, StoredTensor> stored;
  private final Map<String, WeightTensor> weights = new LinkedHashMap<>();
  private long expandedBytes;

  /**
   * @param stored by canonical name, in file order
   * @param arena for what must be expanded
   */
  ModelTensors(Map<String, StoredTensor> stored, String file, Arena arena) {
    this.stored = stored;
    this.file = file;
    this.arena = arena;
  }

  /** True if the file has a tensor of that canonical name. */
  boolean has(String name) {
    return stored.containsKey(name);
  }

  /** Rows of a matrix, or 0 if the file does not have it. */
  long rows(String name) {
    StoredTensor tensor = stored.get(name);
    return tensor == null ? 0 : tensor.values() / columns(tensor);
  }

  /** All values of a small tensor, if the file has it. */
  Optional<float[]> values(String name, int most) {
    StoredTensor tensor = stored.get(name);
    if (tensor == null) {
      return Optional.empty();
    }
    if (tensor.values() > most) {
      throw new ModelFileException(
          file
              + ": "
              + name
              + " has "
              + tensor.values()
              + " values, at most "
              + most
              + " make sense; the file is damaged");
    }
    float[] values = new float[(int) tensor.values()];
    Dequantizer.row(tensor.type(), tensor.data(), 0, values.length, values, 0);
    return Optional.of(values);
  }

  /**
   * Weights of all tensors that {@code config} asks for.
   *
   * @throws ModelFileException if one is missing or has another shape
   * @throws UnsupportedModelException if the file has more weights than such a model uses
   */
  Map<String, WeightTensor> check(ModelConfig config, Progress progress) {
    List<ModelLayout.Required> required = ModelLayout.required(config);
    progress.begin("checking " + file, required.size(), Progress.Unit.TENSORS);
    try {
      for (ModelLayout.Required tensor : required) {
        weights.put(tensor.name(), weight(tensor));
        progress.advance(weights.size());
      }
    } finally {
      progress.end();
    }
    refuseUnknown(config);
    if (expandedBytes > 0) {
      progress.note(
          file
              + ": old tensors whose blocks run across rows were expanded to F32, "
              + (expandedBytes >> 10)
              + " KiB");
    }
    return weights;
  }

  /** What the file holds, in its order. */
  List<TensorInfo> infos() {
    List<TensorInfo> infos = new ArrayList<>();
    stored.forEach((name, tensor) ->
        infos.add(
            new TensorInfo(
                name,
                tensor.name(),
                tensor.type(),
                Arrays.stream(tensor.shape()).boxed().toList(),
                tensor.data().byteSize())));
    return infos;
  }

  private WeightTensor weight(ModelLayout.Required required) {
    StoredTensor tensor = stored.get(required.name());
    if (tensor == null) {
      throw new ModelFileException(
          file
              + ": tensor "
              + required.name()
              + " is missing; the file is incomplete, or another"
              + " kind of model than it says");
    }
    long columns = columns(tensor);
    if (columns != required.columns() || tensor.values() / columns != required.rows()) {
      throw new ModelFileException(
          file
              + ": tensor "
              + Untrusted.quote(tensor.name())
              + " has shape "
              + Arrays.toString(tensor.shape())
              + " but the configuration asks for "
              + required.rows()
              + " x "
              + required.columns()
              + "; configuration and weights are of different models");
    }
    DType type = tensor.type();
    MemorySegment data = tensor.data();
    if (required.columns() % type.blockValues() != 0) {
      data = expand(tensor);
      type = DType.F32;
    }
    return new WeightTensor(tensor.name(), type, required.rows(), required.columns(), data);
  }

  // Converters of 2023 cut a whole tensor into blocks, not each row: no row can be read by itself.
  private MemorySegment expand(StoredTensor tensor) {
    long bytes = tensor.values() * Float.BYTES;
    expandedBytes += bytes;
    if (expandedBytes > MAX_EXPANDED_BYTES) {
      throw new UnsupportedModelException(
          file
              + ": rows of "
              + Untrusted.quote(tensor.name())
              + " do not fill blocks of "
              + tensor.type()
              + "; convert the model again with a recent llama.cpp");
    }
    MemorySegment expanded = arena.allocate(bytes, 64);
    int blockValues = tensor.type().blockValues();
    float[] block = new float[blockValues];
    for (long i = 0; i < tensor.values(); i += blockValues) {
      Dequantizer.row(tensor.type(), tensor.data(), tensor.type().bytes(i), blockValues, block, 0);
      MemorySegment.copy(block, 0, expanded, ValueLayout.JAVA_FLOAT, i * Float.BYTES, blockValues);
    }
    return expanded;
  }

  // More weights than the forward pass uses would be ignored silently: another architecture.
  private void refuseUnknown(ModelConfig config) {
    for (Map.Entry<String, StoredTensor> entry : stored.entrySet()) {
      String name = entry.getKey();
      boolean harmless =
          weights.containsKey(name)
              || name.equals("rope_freqs.weight")
              || name.endsWith(".rotary_emb.inv_freq")
              || (config.tiedEmbedding() && name.equals("output.weight"));
      if (!harmless) {
        throw new UnsupportedModelException(
            file
                + ": tensor "
                + Untrusted.quote(entry.getValue().name())
                + " has no place in a "
                + config.architecture()
                + " model of "
                + config.layers()
                + " layers; this kind of model is not supported");
      }
    }
  }

  private static long columns(StoredTensor tensor) {
    // All outer extents together are the rows; a vector is one row.
    long[] shape = tensor.shape();
    return shape[shape.length - 1];
  }
}
