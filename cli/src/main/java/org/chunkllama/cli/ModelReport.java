package org.chunkllama.cli;

import java.nio.file.Path;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.chunkllama.files.ModelFile;
import org.chunkllama.files.TensorInfo;
import org.chunkllama.model.ModelConfig;
import org.chunkllama.model.RopeScaling;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.text.TokenizerSpec;

/** What {@code inspect} tells of a model. */
final class ModelReport {
  private final Path path;
  private final ModelFile file;
  private final ModelConfig config;

  /** Tensors of one number format. */
  private record TypeTotal(int tensors, long values, long bytes) {
    TypeTotal plus(TensorInfo tensor) {
      return new TypeTotal(
          tensors + 1, values + ModelReport.values(tensor), bytes + tensor.bytes());
    }

    String text() {
      return String.format(
          Locale.ROOT, "%,5d tensors %,15d values %11s", tensors, values, Sizes.format(bytes));
    }

    Map<String, Object> json() {
      return Map.of("tensors", tensors, "values", values, "bytes", bytes);
    }
  }

  ModelReport(Path path, ModelFile file) {
    this.path = path;
    this.file = file;
    this.config = file.config();
  }

  private static long values(TensorInfo tensor) {
    return tensor.shape().stream().mapToLong(Long::longValue).reduce(1, Math::multiplyExact);
  }

  private long parameters() {
    return file.tensors().stream().mapToLong(ModelReport::values).sum();
  }

  private Map<DType, TypeTotal> totals() {
    Map<DType, TypeTotal> totals = new EnumMap<>(DType.class);
    for (TensorInfo tensor : file.tensors()) {
      totals.put(
          tensor.type(), totals.getOrDefault(tensor.type(), new TypeTotal(0, 0, 0)).plus(tensor));
    }
    return totals;
  }

  private String tokenizer() {
    return switch (file.tokenizer()) {
      case TokenizerSpec.HuggingFace(Path json, _, _, _) -> json.getFileName().toString();
      case TokenizerSpec.Gguf spec when spec.model().equals("llama") -> "SentencePiece BPE (GGUF)";
      case TokenizerSpec.Gguf spec ->
          "byte-level BPE (GGUF" + (spec.pre() == null ? "" : ", " + spec.pre()) + ")";
      case TokenizerSpec.IdsOnly _ -> "none";
    };
  }

  private String templates() {
    return file.chatTemplates().isEmpty()
        ? "none"
        : String.join(", ", file.chatTemplates().keySet().stream().sorted().toList());
  }

  private String scaling() {
    return switch (config.ropeScaling()) {
      case RopeScaling.None _ -> "none";
      case RopeScaling.Linear linear -> "linear, factor " + linear.factor();
      case RopeScaling.Llama3 llama3 -> "llama3, factor " + llama3.factor();
      case RopeScaling.Yarn yarn -> "yarn, factor " + yarn.factor();
      case RopeScaling.PerFrequency frequencies ->
          "a factor for each of " + frequencies.factors().length + " frequencies";
    };
  }

  private long kvBytesPerToken(DType type) {
    // The chunk size does not matter for one token.
    return new KvLayout(config.layers(), config.kvHeads(), config.headDim(), 64, type)
        .bytesPerToken();
  }

  /** For people. */
  String text(boolean withTensors) {
    StringBuilder text = new StringBuilder(file.name()).append('\n');
    facts().forEach((name, fact) -> text.append(line(name, fact)));
    text.append('\n');
    totals().forEach((type, total) -> text.append(line(type.name(), total.text())));
    if (withTensors) {
      text.append('\n');
      file.tensors().forEach(tensor -> text.append(tensorLine(tensor)));
    }
    return text.toString();
  }

  private Map<String, String> facts() {
    ModelConfig c = config;
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("file", path + ", " + Sizes.format(bytes()) + " of tensors");
    facts.put("architecture", c.architecture() + extras());
    facts.put("layers", number(c.layers()));
    facts.put("width", number(c.hidden()) + ", feed forward " + number(c.feedForward()));
    facts.put(
        "heads",
        c.heads() + " query, " + c.kvHeads() + " key/value, " + c.headDim() + " values each");
    facts.put("vocabulary", number(c.vocabulary()) + ", " + tokenizer());
    facts.put("chat template", templates());
    facts.put("context", number(c.context()) + " tokens");
    facts.put("rope", rope());
    facts.put("parameters", number(parameters()));
    facts.put(
        "KV per token",
        Sizes.format(kvBytesPerToken(DType.F32))
            + " in fp32, "
            + Sizes.format(kvBytesPerToken(DType.BF16))
            + " in bf16");
    return facts;
  }

  private String rope() {
    String layout = config.ropeLayout().name().toLowerCase(Locale.ROOT).replace('_', ' ');
    return "theta %s, %d of %d values, %s, scaling: %s"
        .formatted(config.ropeTheta(), config.ropeDim(), config.headDim(), layout, scaling());
  }

  private static String number(long value) {
    return String.format(Locale.ROOT, "%,d", value);
  }

  private String extras() {
    StringBuilder extras = new StringBuilder();
    extras.append(config.tiedEmbedding() ? ", tied embedding" : "");
    extras.append(config.qkvBias() ? ", biases on Q, K and V" : "");
    extras.append(config.qkNorm() ? ", normed Q and K" : "");
    return extras.toString();
  }

  private long bytes() {
    return file.tensors().stream().mapToLong(TensorInfo::bytes).sum();
  }

  private static String line(String name, String fact) {
    return String.format(Locale.ROOT, "  %-14s %s%n", name, fact);
  }

  private static String tensorLine(TensorInfo tensor) {
    List<String> extents = tensor.shape().stream().map(String::valueOf).toList();
    return String.format(
        Locale.ROOT,
        "  %-40s %-5s %-16s %11s%n",
        tensor.storedName(),
        tensor.type(),
        String.join(" x ", extents),
        Sizes.format(tensor.bytes()));
  }

  /** The same as data. */
  Map<String, Object> json(boolean withTensors) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("name", file.name());
    json.put("path", path.toString());
    json.put("architecture", config.architecture());
    json.put("layers", config.layers());
    json.put("hidden", config.hidden());
    json.put("feed_forward", config.feedForward());
    json.put("heads", config.heads());
    json.put("kv_heads", config.kvHeads());
    json.put("head_dim", config.headDim());
    json.put("vocabulary", config.vocabulary());
    json.put("context", config.context());
    json.put("norm_epsilon", config.normEpsilon());
    json.put("rope_theta", config.ropeTheta());
    json.put("rope_dim", config.ropeDim());
    json.put("rope_layout", config.ropeLayout().name().toLowerCase(Locale.ROOT));
    json.put("rope_scaling", scaling());
    json.put("qkv_bias", config.qkvBias());
    json.put("qk_norm", config.qkNorm());
    json.put("tied_embedding", config.tiedEmbedding());
    json.put("tokenizer", tokenizer());
    json.put("chat_templates", file.chatTemplates().keySet().stream().sorted().toList());
    json.put("parameters", parameters());
    json.put("bytes", bytes());
    json.put("kv_bytes_per_token_fp32", kvBytesPerToken(DType.F32));
    json.put("kv_bytes_per_token_bf16", kvBytesPerToken(DType.BF16));
    Map<String, Object> types = new LinkedHashMap<>();
    totals().forEach((type, total) -> types.put(type.name(), total.json()));
    json.put("types", types);
    if (withTensors) {
      json.put("tensors", file.tensors());
    }
    return json;
  }
}
