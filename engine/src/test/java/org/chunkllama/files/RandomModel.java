package org.chunkllama.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.chunkllama.model.ModelConfig;
import org.chunkllama.model.RopeScaling;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.RotaryTable;

/**
 * A small model with random weights and a byte-level tokenizer, written as GGUF and as a Hugging
 * Face folder. Both files of one instance compute the same function (up to the rounding of their
 * number formats): the rows of Q and K are reordered as the format's rotary layout wants.
 */
public final class RandomModel {
  private final ModelConfig config;
  private final TestVocabulary vocabulary;

  /** Weights in the split-halves layout. */
  private final Map<ModelLayout.Required, float[]> weights = new LinkedHashMap<>();

  /**
   * @param config any Llama-family model; vocabulary at least 267; ropeLayout is ignored
   */
  public RandomModel(ModelConfig config, long seed) {
    this.config = config;
    this.vocabulary = new TestVocabulary(config.vocabulary());
    for (ModelLayout.Required tensor : ModelLayout.required(config)) {
      weights.put(tensor, values(tensor, new Random(seed * 31 + tensor.name().hashCode())));
    }
  }

  /** A Llama with grouped-query heads and an output layer of its own. */
  public static ModelConfig llama() {
    return config("llama", false, false, false);
  }

  /** A Qwen2: Q, K and V have biases; tied embedding. */
  public static ModelConfig qwen2() {
    return config("qwen2", true, false, true);
  }

  /** A Qwen3: normed heads whose dim is not hidden / heads; tied embedding. */
  public static ModelConfig qwen3() {
    return config("qwen3", false, true, true);
  }

  private static ModelConfig config(String name, boolean bias, boolean norm, boolean tied) {
    int headDim = norm ? 32 : 16;
    return new ModelConfig(
        name,
        2,
        64,
        4,
        2,
        headDim,
        96,
        320,
        512,
        1e-5f,
        10_000,
        headDim,
        new RopeScaling.None(),
        RotaryTable.Layout.SPLIT_HALVES,
        bias,
        false,
        norm,
        tied);
  }

  private static float[] values(ModelLayout.Required tensor, Random random) {
    boolean norm = tensor.name().endsWith("norm.weight");
    float[] values = new float[tensor.rows() * tensor.columns()];
    double scale = norm || tensor.rows() == 1 ? 0.1 : 1 / Math.sqrt(tensor.columns());
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (random.nextGaussian() * scale + (norm ? 1 : 0));
    }
    return values;
  }

  /** Writes a GGUF file in F32. */
  public Path writeGguf(Path file) throws IOException {
    return writeGguf(file, DType.F32);
  }

  /**
   * Writes a GGUF v3 file.
   *
   * @param type of matrices whose rows fill its blocks; the others, and all vectors, are F32
   */
  public Path writeGguf(Path file, DType type) throws IOException {
    return Files.write(file, gguf(type).bytes());
  }

  /** The same, before it is bytes. */
  GgufWriter gguf(DType type) {
    GgufWriter writer = new GgufWriter();
    putMetadata(writer);
    weights.forEach((shape, values) -> {
      boolean quantise = shape.rows() > 1 && shape.columns() % type.blockValues() == 0;
      DType stored = quantise ? type : DType.F32;
      float[] ordered = pairs() ? interleaved(values, shape) : values;
      writer.tensor(
          shape.name(), stored, shape.columns(), shape.rows(), Quantizer.encode(stored, ordered));
    });
    if (config.ropeScaling() instanceof RopeScaling.PerFrequency(float[] factors)) {
      writer.tensor(
          "rope_freqs.weight", DType.F32, factors.length, 1, Quantizer.encode(DType.F32, factors));
    }
    return writer;
  }

  private boolean pairs() {
    return config.architecture().equals("llama") || config.architecture().equals("mistral");
  }

  /** Rows of each head of Q and K: (j, i) of [2][dim / 2] becomes (i, j). */
  private float[] interleaved(float[] values, ModelLayout.Required shape) {
    if (!shape.name().contains("attn_q.") && !shape.name().contains("attn_k.")) {
      return values;
    }
    int dim = config.headDim();
    int row = shape.rows() == 1 ? 1 : shape.columns();
    float[] ordered = new float[values.length];
    for (int from = 0; from < values.length / row; from++) {
      int inHead = from % dim;
      int to = from - inHead + 2 * (inHead % (dim / 2)) + inHead / (dim / 2);
      System.arraycopy(values, from * row, ordered, to * row, row);
    }
    return ordered;
  }

  private void putMetadata(GgufWriter writer) {
    String prefix = config.architecture() + ".";
    writer
        .put("general.architecture", config.architecture())
        .put("general.name", "random " + config.architecture())
        .put(prefix + "block_count", config.layers())
        .put(prefix + "context_length", config.context())
        .put(prefix + "embedding_length", config.hidden())
        .put(prefix + "feed_forward_length", config.feedForward())
        .put(prefix + "attention.head_count", config.heads())
        .put(prefix + "attention.head_count_kv", config.kvHeads())
        .put(prefix + "attention.key_length", config.headDim())
        .put(prefix + "attention.value_length", config.headDim())
        .put(prefix + "attention.layer_norm_rms_epsilon", config.normEpsilon())
        .put(prefix + "rope.dimension_count", config.ropeDim())
        .put(prefix + "rope.freq_base", (float) config.ropeTheta());
    putScaling(writer, prefix + "rope.scaling.");
    writer
        .put("tokenizer.ggml.model", "gpt2")
        .put("tokenizer.ggml.pre", "gpt-2")
        .put("tokenizer.ggml.tokens", vocabulary.tokens)
        .put("tokenizer.ggml.token_type", vocabulary.types())
        .put("tokenizer.ggml.merges", vocabulary.merges)
        .put("tokenizer.ggml.bos_token_id", TestVocabulary.IM_START)
        .put("tokenizer.ggml.eos_token_id", TestVocabulary.IM_END)
        .put("tokenizer.ggml.add_bos_token", false)
        .put("tokenizer.chat_template", TestVocabulary.CHAT_TEMPLATE);
  }

  private void putScaling(GgufWriter writer, String prefix) {
    switch (config.ropeScaling()) {
      case RopeScaling.None _, RopeScaling.PerFrequency _ -> {}
      case RopeScaling.Linear(double factor) ->
          writer.put(prefix + "type", "linear").put(prefix + "factor", (float) factor);
      case RopeScaling.Yarn yarn ->
          writer
              .put(prefix + "type", "yarn")
              .put(prefix + "factor", (float) yarn.factor())
              .put(prefix + "original_context_length", yarn.originalContext())
              .put(prefix + "yarn_beta_fast", (float) yarn.betaFast())
              .put(prefix + "yarn_beta_slow", (float) yarn.betaSlow())
              .put(
                  prefix + "attn_factor",
                  (float) (yarn.attentionFactor() / Yarn.attentionFactor(yarn.factor())));
      case RopeScaling.Llama3 _ ->
          throw new IllegalArgumentException("GGUF states Llama 3 scaling per frequency");
    }
  }

  /** Writes a Hugging Face folder with one weight file in F32. */
  public Path writeHuggingFace(Path folder) throws IOException {
    return writeHuggingFace(folder, DType.F32, 1);
  }

  /**
   * Writes a Hugging Face folder.
   *
   * @param type F32, F16 or BF16
   * @param shards weight files; an index is written if there are several
   */
  public Path writeHuggingFace(Path folder, DType type, int shards) throws IOException {
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("config.json"), configJson());
    Files.writeString(folder.resolve("tokenizer.json"), vocabulary.tokenizerJson());
    Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\":[2,0]}");
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        "{\"bos_token\":\"<|im_start|>\",\"eos_token\":{\"content\":\"<|im_end|>\"},"
            + "\"chat_template\":"
            + TestVocabulary.quote(TestVocabulary.CHAT_TEMPLATE)
            + "}");
    List<SafetensorsWriter> writers = new ArrayList<>();
    for (int i = 0; i < shards; i++) {
      writers.add(new SafetensorsWriter());
    }
    int index = 0;
    for (Map.Entry<ModelLayout.Required, float[]> weight : weights.entrySet()) {
      ModelLayout.Required shape = weight.getKey();
      List<Integer> extents =
          shape.rows() == 1 ? List.of(shape.columns()) : List.of(shape.rows(), shape.columns());
      writers
          .get(index++ % shards)
          .tensor(
              huggingFaceName(shape.name()),
              type.name(),
              extents,
              Quantizer.encode(type, weight.getValue()));
    }
    writeWeights(folder, writers);
    return folder;
  }

  private static void writeWeights(Path folder, List<SafetensorsWriter> writers)
      throws IOException {
    if (writers.size() == 1) {
      Files.write(folder.resolve("model.safetensors"), writers.getFirst().bytes());
      return;
    }
    List<String> index = new ArrayList<>();
    for (int i = 0; i < writers.size(); i++) {
      String name = "model-0000%d-of-0000%d.safetensors".formatted(i + 1, writers.size());
      Files.write(folder.resolve(name), writers.get(i).bytes());
      writers.get(i).names.forEach(tensor -> index.add("\"" + tensor + "\":\"" + name + "\""));
    }
    Files.writeString(
        folder.resolve("model.safetensors.index.json"),
        "{\"metadata\":{\"total_size\":0},\"weight_map\":{" + String.join(",", index) + "}}");
  }

  /** The name that transformers gives a tensor. */
  static String huggingFaceName(String canonical) {
    return canonical
        .replaceFirst("^token_embd", "model.embed_tokens")
        .replaceFirst("^output_norm", "model.norm")
        .replaceFirst("^output\\.", "lm_head.")
        .replaceFirst("^blk\\.", "model.layers.")
        .replace(".attn_norm.", ".input_layernorm.")
        .replace(".ffn_norm.", ".post_attention_layernorm.")
        .replaceFirst("\\.attn_([qk])_norm\\.", ".self_attn.$1_norm.")
        .replaceFirst("\\.attn_([qkv])\\.", ".self_attn.$1_proj.")
        .replace(".attn_output.", ".self_attn.o_proj.")
        .replaceFirst("\\.ffn_(gate|up|down)\\.", ".mlp.$1_proj.");
  }

  private String configJson() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("model_type", "\"" + config.architecture() + "\"");
    json.put("num_hidden_layers", config.layers());
    json.put("hidden_size", config.hidden());
    json.put("num_attention_heads", config.heads());
    json.put("num_key_value_heads", config.kvHeads());
    json.put("head_dim", config.headDim());
    json.put("intermediate_size", config.feedForward());
    json.put("vocab_size", config.vocabulary());
    json.put("max_position_embeddings", config.context());
    json.put("rms_norm_eps", config.normEpsilon());
    json.put("rope_theta", config.ropeTheta());
    json.put("partial_rotary_factor", (double) config.ropeDim() / config.headDim());
    json.put("rope_scaling", scalingJson());
    json.put("hidden_act", "\"silu\"");
    json.put("tie_word_embeddings", config.tiedEmbedding());
    json.put("attention_bias", config.outputBias());
    json.put("sliding_window", "null");
    json.put("bos_token_id", TestVocabulary.IM_START);
    json.put("eos_token_id", TestVocabulary.IM_END);
    List<String> members = new ArrayList<>();
    json.forEach((key, value) -> members.add("\"" + key + "\":" + value));
    return "{" + String.join(",", members) + "}";
  }

  private String scalingJson() {
    return switch (config.ropeScaling()) {
      case RopeScaling.None _ -> "null";
      case RopeScaling.Linear(double factor) ->
          "{\"rope_type\":\"linear\",\"factor\":" + factor + "}";
      case RopeScaling.Llama3 llama ->
          ("{\"rope_type\":\"llama3\",\"factor\":%s,\"low_freq_factor\":%s,"
                  + "\"high_freq_factor\":%s,\"original_max_position_embeddings\":%s}")
              .formatted(
                  llama.factor(),
                  llama.lowFreqFactor(),
                  llama.highFreqFactor(),
                  llama.originalContext());
      case RopeScaling.Yarn yarn ->
          ("{\"rope_type\":\"yarn\",\"factor\":%s,\"original_max_position_embeddings\":%s,"
                  + "\"beta_fast\":%s,\"beta_slow\":%s,\"attention_factor\":%s}")
              .formatted(
                  yarn.factor(),
                  yarn.originalContext(),
                  yarn.betaFast(),
                  yarn.betaSlow(),
                  yarn.attentionFactor());
      case RopeScaling.PerFrequency _ ->
          throw new IllegalArgumentException("only GGUF states factors per frequency");
    };
  }
}
