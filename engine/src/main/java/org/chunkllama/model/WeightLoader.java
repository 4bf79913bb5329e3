package org.chunkllama.model;

import java.util.ArrayList;
import java.util.List;
import org.chunkllama.error.ModelFileException;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.Dequantizer;
import org.chunkllama.spi.Matrix;
import org.chunkllama.spi.Tensor;
import org.chunkllama.spi.WeightTensor;
import org.jspecify.annotations.Nullable;

/** Moves weights from a file to a backend, checking names and shapes. */
final class WeightLoader {
  private final Backend backend;
  private final ModelConfig config;
  private final WeightSource source;
  private final LoadProgress progress;
  private final int total;
  private int done;

  WeightLoader(Backend backend, ModelConfig config, WeightSource source, LoadProgress progress) {
    this.backend = backend;
    this.config = config;
    this.source = source;
    this.progress = progress;
    this.total = config.layers() + 2;
  }

  LlamaWeights load() {
    Matrix embedding = matrix("token_embd.weight", config.vocabulary(), config.hidden());
    advance();
    LayerWeights[] layers = new LayerWeights[config.layers()];
    for (int i = 0; i < layers.length; i++) {
      layers[i] = layer("blk." + i + ".");
      advance();
    }
    Tensor outputNorm = vector("output_norm.weight", config.hidden());
    Matrix output =
        config.tiedEmbedding()
            ? embedding
            : matrix("output.weight", config.vocabulary(), config.hidden());
    advance();
    return new LlamaWeights(embedding, layers, outputNorm, output);
  }

  private void advance() {
    progress.loaded(++done, total);
  }

  private LayerWeights layer(String prefix) {
    int hidden = config.hidden();
    int queries = config.heads() * config.headDim();
    int keys = config.kvHeads() * config.headDim();
    int wide = config.feedForward();
    return new LayerWeights(
        vector(prefix + "attn_norm.weight", hidden),
        backend.matrix(
            List.of(
                find(prefix + "attn_q.weight", queries, hidden),
                find(prefix + "attn_k.weight", keys, hidden),
                find(prefix + "attn_v.weight", keys, hidden))),
        config.qkvBias() ? qkvBias(prefix, queries, keys) : null,
        config.qkNorm() ? vector(prefix + "attn_q_norm.weight", config.headDim()) : null,
        config.qkNorm() ? vector(prefix + "attn_k_norm.weight", config.headDim()) : null,
        matrix(prefix + "attn_output.weight", hidden, queries),
        config.outputBias() ? vector(prefix + "attn_output.bias", hidden) : null,
        vector(prefix + "ffn_norm.weight", hidden),
        backend.matrix(
            List.of(
                find(prefix + "ffn_gate.weight", wide, hidden),
                find(prefix + "ffn_up.weight", wide, hidden))),
        matrix(prefix + "ffn_down.weight", hidden, wide));
  }

  private Matrix matrix(String name, int rows, int columns) {
    return backend.matrix(List.of(find(name, rows, columns)));
  }

  private Tensor vector(String name, int length) {
    return tensor(List.of(find(name, 1, length)), length);
  }

  private Tensor qkvBias(String prefix, int queries, int keys) {
    List<WeightTensor> parts = new ArrayList<>();
    parts.add(find(prefix + "attn_q.bias", 1, queries));
    parts.add(find(prefix + "attn_k.bias", 1, keys));
    parts.add(find(prefix + "attn_v.bias", 1, keys));
    return tensor(parts, queries + 2 * keys);
  }

  private Tensor tensor(List<WeightTensor> parts, int length) {
    float[] values = new float[length];
    int offset = 0;
    for (WeightTensor part : parts) {
      Dequantizer.row(part, 0, values, offset);
      offset += part.columns();
    }
    Tensor tensor = backend.tensor(1, length);
    tensor.write(0, values, 0);
    return tensor;
  }

  private WeightTensor find(String name, int rows, int columns) {
    @Nullable WeightTensor weight = source.find(name).orElse(null);
    if (weight == null) {
      throw new ModelFileException(
          "the model has no tensor " + name + "; the file is incomplete, fetch it again");
    }
    if (weight.rows() != rows || weight.columns() != columns) {
      throw new ModelFileException(
          "tensor %s is %d x %d, its configuration asks for %d x %d; the file is broken, fetch it again"
              .formatted(name, weight.rows(), weight.columns(), rows, columns));
    }
    return weight;
  }
}
