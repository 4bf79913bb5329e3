package org.chunkllama.model;

import java.util.List;
import org.chunkllama.model.WeightSupply.Part;
import org.chunkllama.spi.Matrix;
import org.chunkllama.spi.Tensor;

/** Asks for all weights of a configuration, by name and shape. */
final class WeightLoader {
  private final ModelConfig config;
  private final WeightSupply supply;
  private final LoadProgress progress;
  private final int total;
  private int done;

  WeightLoader(ModelConfig config, WeightSupply supply, LoadProgress progress) {
    this.config = config;
    this.supply = supply;
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
        matrix(
            List.of(
                new Part(prefix + "attn_q.weight", queries, hidden),
                new Part(prefix + "attn_k.weight", keys, hidden),
                new Part(prefix + "attn_v.weight", keys, hidden))),
        config.qkvBias() ? qkvBias(prefix, queries, keys) : null,
        config.qkNorm() ? vector(prefix + "attn_q_norm.weight", config.headDim()) : null,
        config.qkNorm() ? vector(prefix + "attn_k_norm.weight", config.headDim()) : null,
        matrix(prefix + "attn_output.weight", hidden, queries),
        config.outputBias() ? vector(prefix + "attn_output.bias", hidden) : null,
        vector(prefix + "ffn_norm.weight", hidden),
        matrix(
            List.of(
                new Part(prefix + "ffn_gate.weight", wide, hidden),
                new Part(prefix + "ffn_up.weight", wide, hidden))),
        matrix(prefix + "ffn_down.weight", hidden, wide));
  }

  private Matrix matrix(String name, int rows, int columns) {
    return matrix(List.of(new Part(name, rows, columns)));
  }

  private Matrix matrix(List<Part> parts) {
    return supply.matrix(parts);
  }

  private Tensor vector(String name, int length) {
    return supply.vector(List.of(new Part(name, 1, length)));
  }

  private Tensor qkvBias(String prefix, int queries, int keys) {
    return supply.vector(
        List.of(
            new Part(prefix + "attn_q.bias", 1, queries),
            new Part(prefix + "attn_k.bias", 1, keys),
            new Part(prefix + "attn_v.bias", 1, keys)));
  }
}
