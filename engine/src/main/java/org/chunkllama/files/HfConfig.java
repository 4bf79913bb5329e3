package org.chunkllama.files;

import java.util.List;
import java.util.Set;
import org.chunkllama.error.UnsupportedModelException;
import org.chunkllama.model.ModelConfig;
import org.chunkllama.model.RopeScaling;
import org.chunkllama.spi.RotaryTable;

/** A {@link ModelConfig} from config.json, with transformers' defaults. */
final class HfConfig {
  private static final Set<String> TYPES = Set.of("llama", "mistral", "qwen2", "qwen3");
  private static final int QWEN3_HEAD_DIM = 128;
  private static final int MISTRAL_WINDOW = 4096;

  private final Fields json;
  private final String type;

  private HfConfig(Fields json) {
    this.json = json;
    this.type = json.string("model_type");
  }

  /**
   * @param hasOutput the weights have an output layer of their own
   */
  static ModelConfig read(Fields json, boolean hasOutput, Progress progress) {
    HfConfig reader = new HfConfig(json);
    reader.refuseOtherKinds();
    ModelConfig config = reader.read(hasOutput, progress);
    ModelLayout.check(config, json.file());
    return config;
  }

  private void refuseOtherKinds() {
    String file = json.file();
    if (!TYPES.contains(type)) {
      throw new UnsupportedModelException(
          file
              + ": model_type "
              + Untrusted.quote(type)
              + " is not supported; use a llama, mistral, qwen2 or qwen3 model");
    }
    if (json.has("quantization_config")) {
      throw new UnsupportedModelException(
          file
              + ": quantised safetensors are not read;"
              + " use the model in F32, F16 or BF16, or a GGUF file");
    }
    String activation = json.optionalString("hidden_act").orElse("silu");
    if (!activation.equals("silu")) {
      throw new UnsupportedModelException(
          file
              + ": activation "
              + Untrusted.quote(activation)
              + " is not supported; Llama-family models use silu");
    }
    if (json.flag("mlp_bias", false)) {
      throw new UnsupportedModelException(
          file + ": biases in the MLP (mlp_bias) are not supported; use another model");
    }
  }

  private ModelConfig read(boolean hasOutput, Progress progress) {
    int hidden = json.integer("hidden_size", 1, ModelLayout.MAX_WIDTH);
    int heads = json.integer("num_attention_heads", 1, ModelLayout.MAX_HEADS);
    int derived = type.equals("qwen3") ? QWEN3_HEAD_DIM : Math.max(1, hidden / heads);
    int headDim = json.integer("head_dim", 1, ModelLayout.MAX_WIDTH, derived);
    int stated = json.integer("max_position_embeddings", 1, ModelLayout.MAX_CONTEXT);
    HfRope rope = HfRope.read(json, stated);
    boolean attentionBias = json.flag("attention_bias", false) && !type.equals("mistral");
    boolean tied =
        json.has("tie_word_embeddings") ? json.flag("tie_word_embeddings", false) : !hasOutput;
    return new ModelConfig(
        type,
        json.integer("num_hidden_layers", 1, ModelLayout.MAX_LAYERS),
        hidden,
        heads,
        json.integer("num_key_value_heads", 1, ModelLayout.MAX_HEADS, heads),
        headDim,
        json.integer("intermediate_size", 1, ModelLayout.MAX_WIDTH),
        json.integer("vocab_size", 1, ModelLayout.MAX_VOCABULARY),
        context(rope.scaling(), stated, progress),
        (float) json.above("rms_norm_eps", 0, 1e-6),
        rope.theta(),
        (int) (headDim * rope.rotatedShare()),
        rope.scaling(),
        RotaryTable.Layout.SPLIT_HALVES,
        type.equals("qwen2") || attentionBias,
        attentionBias && !type.equals("qwen2"),
        type.equals("qwen3"),
        tied);
  }

  private int context(RopeScaling scaling, int stated, Progress progress) {
    int context = ContextLimit.stretched(stated, scaling);
    return ContextLimit.within(window(), context, json.file(), progress);
  }

  // Mistral slides where a window is stated, Qwen only where it says so, Llama never.
  private int window() {
    List<?> kinds = json.list("layer_types");
    boolean slides =
        switch (type) {
          case "mistral" -> !json.isNull("sliding_window");
          case "llama" -> false;
          default -> json.flag("use_sliding_window", false);
        };
    if (!kinds.isEmpty()) {
      slides = kinds.contains("sliding_attention");
    }
    return slides ? json.integer("sliding_window", 0, Integer.MAX_VALUE, MISTRAL_WINDOW) : 0;
  }
}
