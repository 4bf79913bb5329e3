package org.chunkllama.files;

import java.util.ArrayList;
import java.util.List;
import org.chunkllama.error.ModelFileException;
import org.chunkllama.model.ModelConfig;
import org.chunkllama.model.RopeScaling;
import org.chunkllama.spi.DType;

/** What a configuration must be like, and which tensors of which shape it asks for. */
final class ModelLayout {
  static final int MAX_LAYERS = 1 << 12;
  static final int MAX_WIDTH = 1 << 22;
  static final int MAX_HEADS = 1 << 16;
  static final int MAX_VOCABULARY = 1 << 24;

  /** Rotary tables are made for every position: a context beyond this is a lie, not a model. */
  static final int MAX_CONTEXT = 1 << 27;

  /**
   * A tensor that must be there.
   *
   * @param name canonical
   * @param rows outputs; 1 for a vector
   * @param columns inputs
   */
  record Required(String name, int rows, int columns) {}

  private ModelLayout() {}

  /** Every tensor of a model of {@code config}. */
  static List<Required> required(ModelConfig config) {
    List<Required> all = new ArrayList<>();
    int hidden = config.hidden();
    all.add(new Required("token_embd.weight", config.vocabulary(), hidden));
    all.add(new Required("output_norm.weight", 1, hidden));
    if (!config.tiedEmbedding()) {
      all.add(new Required("output.weight", config.vocabulary(), hidden));
    }
    for (int layer = 0; layer < config.layers(); layer++) {
      addLayer(all, config, "blk." + layer + ".");
    }
    return all;
  }

  /** The same as a file of bf16 would state them. */
  static List<TensorInfo> infos(ModelConfig config) {
    return required(config).stream()
        .map(r -> {
          List<Long> shape =
              r.rows() == 1
                  ? List.of((long) r.columns())
                  : List.of((long) r.rows(), (long) r.columns());
          return new TensorInfo(
              r.name(),
              r.name(),
              DType.BF16,
              shape,
              (long) r.rows() * DType.BF16.bytes(r.columns()));
        })
        .toList();
  }

  private static void addLayer(List<Required> all, ModelConfig config, String prefix) {
    int hidden = config.hidden();
    int query = config.heads() * config.headDim();
    int keyValue = config.kvHeads() * config.headDim();
    int feedForward = config.feedForward();
    all.add(new Required(prefix + "attn_norm.weight", 1, hidden));
    all.add(new Required(prefix + "attn_q.weight", query, hidden));
    all.add(new Required(prefix + "attn_k.weight", keyValue, hidden));
    all.add(new Required(prefix + "attn_v.weight", keyValue, hidden));
    all.add(new Required(prefix + "attn_output.weight", hidden, query));
    if (config.qkvBias()) {
      all.add(new Required(prefix + "attn_q.bias", 1, query));
      all.add(new Required(prefix + "attn_k.bias", 1, keyValue));
      all.add(new Required(prefix + "attn_v.bias", 1, keyValue));
    }
    if (config.outputBias()) {
      all.add(new Required(prefix + "attn_output.bias", 1, hidden));
    }
    if (config.qkNorm()) {
      all.add(new Required(prefix + "attn_q_norm.weight", 1, config.headDim()));
      all.add(new Required(prefix + "attn_k_norm.weight", 1, config.headDim()));
    }
    all.add(new Required(prefix + "ffn_norm.weight", 1, hidden));
    all.add(new Required(prefix + "ffn_gate.weight", feedForward, hidden));
    all.add(new Required(prefix + "ffn_up.weight", feedForward, hidden));
    all.add(new Required(prefix + "ffn_down.weight", hidden, feedForward));
  }

  /** Refuses numbers that contradict each other. */
  static void check(ModelConfig config, String file) {
    int heads = config.heads();
    int dim = config.headDim();
    check(
        heads % config.kvHeads() == 0,
        file,
        heads + " query heads cannot share " + config.kvHeads() + " key/value heads");
    check((long) heads * dim <= MAX_WIDTH, file, heads + " heads of " + dim + " values");
    check(dim % 2 == 0, file, "head dim " + dim + " is odd");
    int rotated = config.ropeDim();
    check(
        rotated % 2 == 0 && rotated >= 2 && rotated <= dim,
        file,
        "rotary dim " + rotated + " does not fit head dim " + dim);
    if (config.ropeScaling() instanceof RopeScaling.PerFrequency(float[] factors)) {
      check(
          factors.length == rotated / 2,
          file,
          factors.length + " rotary factors for " + rotated / 2 + " frequencies");
      for (float factor : factors) {
        check(factor > 0 && Float.isFinite(factor), file, "a rotary factor is " + factor);
      }
    }
    check(config.normEpsilon() < 1, file, "norm epsilon is " + config.normEpsilon());
  }

  private static void check(boolean sound, String file, String what) {
    if (!sound) {
      throw new ModelFileException(
          file + ": " + what + "; the file is damaged or not a Llama-family model");
    }
  }
}
