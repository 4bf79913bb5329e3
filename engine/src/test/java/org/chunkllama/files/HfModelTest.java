package org.chunkllama.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.AbstractThrowableAssert;
import org.chunkllama.error.ModelFileException;
import org.chunkllama.error.UnsupportedModelException;
import org.chunkllama.model.ModelConfig;
import org.chunkllama.model.RopeScaling;
import org.chunkllama.spi.DType;
import org.chunkllama.text.TokenizerSpec;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A Hugging Face folder's files against each other. */
class HfModelTest {
  @TempDir Path folder;
  private final List<String> notes = new ArrayList<>();

  @BeforeEach
  void writeModel() throws IOException {
    new RandomModel(RandomModel.llama(), 1).writeHuggingFace(folder);
  }

  private ModelFile open() {
    return ModelFile.open(folder, new RealModelsTest.NoteTaker(notes));
  }

  private ModelConfig config() {
    try (ModelFile file = open()) {
      return file.config();
    }
  }

  private AbstractThrowableAssert<?, ? extends Throwable> assertRefused() {
    return assertThatThrownBy(() -> open().close())
        .hasMessageContaining(folder.toString())
        .hasMessageNotContaining("\n");
  }

  /** Replaces a member of a JSON file; a value of "" removes it. */
  private void set(String file, String key, String value) throws IOException {
    Path path = folder.resolve(file);
    String json = Files.readString(path);
    String member = "\"" + key + "\":";
    String without =
        json.replaceFirst("(,?)" + member + "(\\{[^}]*}|\\[[^]]*]|\"[^\"]*\"|[^,}]+)(,?)", "$1");
    without = without.replaceAll("\\{,", "{").replaceAll(",}", "}").replace(",\"", ",\"");
    without = without.replaceAll("([^,{\\[:])\"(\\w+)\":", "$1,\"$2\":");
    Files.writeString(
        path, value.isEmpty() ? without : without.replaceFirst("\\{", "{" + member + value + ","));
  }

  private void config(String key, String value) throws IOException {
    set("config.json", key, value);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "model_type",
        "num_hidden_layers",
        "hidden_size",
        "num_attention_heads",
        "intermediate_size",
        "vocab_size",
        "max_position_embeddings"
      })
  void requiresKeys(String key) throws IOException {
    config(key, "");
    assertRefused()
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining(key + " is missing");
    for (String value :
        List.of("null", "[]", "{}", "-1", "1e300", "true", "99999999999999999999")) {
      config(key, value);
      assertRefused().isInstanceOf(ModelFileException.class);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "num_key_value_heads; 3; cannot share",
        "head_dim; 15; is odd",
        "num_hidden_layers; 3; blk.2.attn_norm.weight is missing",
        "num_hidden_layers; 1; has no place",
        "hidden_size; 32; of different models",
        "vocab_size; 321; of different models",
        "rms_norm_eps; 0; not a finite number above 0",
        "rms_norm_eps; 2; norm epsilon is 2.0",
        "rope_theta; 1; not a finite number above 1",
        "partial_rotary_factor; 1.5; partial_rotary_factor is 1.5",
        "eos_token_id; 320; is not in the vocabulary",
        "eos_token_id; [1, -1]; is not in the vocabulary",
        "eos_token_id; \"</s>\"; is not a token id",
        "rope_scaling; {\"rope_type\":\"llama3\",\"factor\":8}; low_freq_factor is missing"
      })
  void refusesContradictions(String key, String value, String message) throws IOException {
    config(key, value);
    assertRefused().hasMessageContaining(message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "model_type; \"mixtral\"; model_type \"mixtral\" is not supported",
        "hidden_act; \"gelu\"; activation \"gelu\"",
        "mlp_bias; true; mlp_bias",
        "quantization_config; {\"bits\":4}; quantised safetensors",
        "rope_scaling; {\"type\":\"dynamic\",\"factor\":2}; rotary scaling \"dynamic\"",
        "rope_scaling; {\"type\":\"yarn\",\"factor\":2,\"truncate\":false}; truncate"
      })
  void namesWhatIsNotSupported(String key, String value, String message) throws IOException {
    config(key, value);
    assertRefused().isInstanceOf(UnsupportedModelException.class).hasMessageContaining(message);
  }

  @Test
  void readsEveryRotaryScaling() throws IOException {
    config("rope_scaling", "{\"type\":\"linear\",\"factor\":2}");
    assertThat(config().ropeScaling()).isEqualTo(new RopeScaling.Linear(2));
    config(
        "rope_scaling",
        "{\"rope_type\":\"llama3\",\"factor\":8,\"low_freq_factor\":1,\"high_freq_factor\":4,"
            + "\"original_max_position_embeddings\":128}");
    assertThat(config().ropeScaling()).isEqualTo(new RopeScaling.Llama3(8, 1, 4, 128));
    config("rope_scaling", "{\"rope_type\":\"yarn\",\"factor\":4}");
    assertThat(config().ropeScaling())
        .isEqualTo(new RopeScaling.Yarn(4, 512, 32, 1, 0.1 * Math.log(4) + 1));
    assertThat(config().context()).isEqualTo(2048);
    config(
        "rope_scaling",
        "{\"rope_type\":\"yarn\",\"factor\":4,\"original_max_position_embeddings\":128,"
            + "\"beta_fast\":16,\"beta_slow\":2,\"attention_factor\":1.5}");
    assertThat(config().ropeScaling()).isEqualTo(new RopeScaling.Yarn(4, 128, 16, 2, 1.5));
    config(
        "rope_scaling", "{\"rope_type\":\"yarn\",\"factor\":4,\"mscale\":2,\"mscale_all_dim\":1}");
    assertThat(((RopeScaling.Yarn) config().ropeScaling()).attentionFactor())
        .isEqualTo((0.2 * Math.log(4) + 1) / (0.1 * Math.log(4) + 1));
  }

  @Test
  void readsRotaryParametersOfTransformers5() throws IOException {
    config("rope_scaling", "");
    config("rope_theta", "");
    config("rope_parameters", "{\"rope_type\":\"default\",\"rope_theta\":500000.0}");
    assertThat(config().ropeTheta()).isEqualTo(500_000);
    assertThat(config().ropeScaling()).isEqualTo(new RopeScaling.None());
  }

  @Test
  void derivesWhatIsNotStated() throws IOException {
    for (String key : List.of("head_dim", "rms_norm_eps", "rope_theta", "partial_rotary_factor")) {
      config(key, "");
    }
    config("tie_word_embeddings", "");
    ModelConfig config = config();
    assertThat(config.headDim()).isEqualTo(16);
    assertThat(config.normEpsilon()).isEqualTo(1e-6f);
    assertThat(config.ropeTheta()).isEqualTo(10_000);
    assertThat(config.tiedEmbedding()).isFalse();
  }

  @Test
  void aStatedTieWinsOverAnOutputLayer() throws IOException {
    config("tie_word_embeddings", "true");
    assertThat(config().tiedEmbedding()).isTrue();
  }

  @ParameterizedTest
  @CsvSource({
    "mistral, 64, , 64",
    "mistral, null, , 512",
    "mistral, 4096, , 512",
    "llama, 64, , 512",
    "qwen3, 64, false, 512",
    "qwen3, 64, true, 64"
  })
  void aSlidingWindowLimitsTheContext(String type, String window, String use, int context)
      throws IOException {
    if (type.equals("qwen3")) {
      new RandomModel(RandomModel.qwen3(), 1).writeHuggingFace(folder);
    }
    config("model_type", "\"" + type + "\"");
    config("sliding_window", window);
    if (use != null) {
      config("use_sliding_window", use);
    }
    assertThat(config().context()).isEqualTo(context);
    assertThat(notes).hasSize(context < 512 ? 1 : 0);
  }

  @Test
  void requiresATokenizer() throws IOException {
    Files.delete(folder.resolve("tokenizer.json"));
    assertRefused()
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("has no tokenizer.json; save the tokenizer");
    Files.writeString(folder.resolve("tokenizer.model"), "x");
    assertRefused().hasMessageContaining("(only tokenizer.model)");
    Files.writeString(folder.resolve("tokenizer.json"), "{\"added_tokens\":[{\"id\":1");
    assertRefused().isInstanceOf(ModelFileException.class).hasMessageContaining("broken JSON");
    Files.writeString(folder.resolve("tokenizer.json"), "[]");
    assertRefused().isInstanceOf(ModelFileException.class);
  }

  @Test
  void readsTheTokenizersSettings() throws IOException {
    set("tokenizer_config.json", "add_bos_token", "true");
    try (ModelFile file = open()) {
      TokenizerSpec.HuggingFace spec = (TokenizerSpec.HuggingFace) file.tokenizer();
      assertThat(spec.tokenizerJson()).isEqualTo(folder.resolve("tokenizer.json"));
      assertThat(spec.addBos()).isTrue();
      assertThat(spec.bosId()).isEqualTo(1);
      assertThat(spec.eosIds()).containsExactly(2, 0);
    }
    set("tokenizer_config.json", "bos_token", "null");
    try (ModelFile file = open()) {
      assertThat(((TokenizerSpec.HuggingFace) file.tokenizer()).bosId()).isEqualTo(-1);
    }
    Files.delete(folder.resolve("tokenizer_config.json"));
    Files.delete(folder.resolve("generation_config.json"));
    try (ModelFile file = open()) {
      TokenizerSpec.HuggingFace spec = (TokenizerSpec.HuggingFace) file.tokenizer();
      assertThat(spec.addBos()).isNull();
      assertThat(spec.bosId()).isEqualTo(1); // config.json
      assertThat(spec.eosIds()).containsExactly(2);
      assertThat(file.chatTemplates()).isEmpty();
    }
  }

  @Test
  void findsChatTemplatesWhereverTheyAre() throws IOException {
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        "{\"chat_template\":[{\"name\":\"default\",\"template\":\"a\"},"
            + "{\"name\":\"tool_use\",\"template\":\"b\"}]}");
    try (ModelFile file = open()) {
      assertThat(file.chatTemplates()).containsEntry("default", "a").containsEntry("tool_use", "b");
    }
    Files.writeString(folder.resolve("chat_template.jinja"), "c");
    Path more = Files.createDirectories(folder.resolve("additional_chat_templates"));
    Files.writeString(more.resolve("rag.jinja"), "d");
    try (ModelFile file = open()) {
      assertThat(file.chatTemplate()).contains("c");
      assertThat(file.chatTemplates()).containsEntry("rag", "d").containsEntry("tool_use", "b");
    }
    Files.writeString(folder.resolve("tokenizer_config.json"), "{\"chat_template\":[1]}");
    assertRefused().isInstanceOf(ModelFileException.class);
  }

  @Test
  void refusesBrokenShards() throws IOException {
    Files.delete(folder.resolve("model.safetensors"));
    new RandomModel(RandomModel.llama(), 1).writeHuggingFace(folder, DType.F32, 2);
    String index = Files.readString(folder.resolve("model.safetensors.index.json"));
    open().close();

    Files.writeString(
        folder.resolve("model.safetensors.index.json"),
        index.replaceFirst("model-00001", "../model-00001"));
    assertRefused().hasMessageContaining("is not the name of a safetensors file");
    Files.writeString(
        folder.resolve("model.safetensors.index.json"),
        index.replaceFirst("model-00001", "model-00003"));
    assertRefused().hasMessageContaining("does not exist");
    Files.writeString(
        folder.resolve("model.safetensors.index.json"),
        index.replaceFirst("model-00001-of-00002", "model-00002-of-00002"));
    assertRefused().hasMessageContaining("though model.safetensors.index.json names it");
    Files.writeString(folder.resolve("model.safetensors.index.json"), "{}");
    assertRefused().hasMessageContaining("weight_map is missing");
  }

  @Test
  void saysWhatAFolderLacks() throws IOException {
    Files.delete(folder.resolve("model.safetensors"));
    assertRefused().hasMessageContaining("holds neither model.safetensors nor");
    Files.writeString(folder.resolve("pytorch_model.bin"), "x");
    assertRefused().isInstanceOf(UnsupportedModelException.class).hasMessageContaining("pickled");
    Files.delete(folder.resolve("config.json"));
    assertRefused().hasMessageContaining("neither config.json nor a .gguf file");
  }

  @Test
  void opensTheOnlyGgufOfAFolder() throws IOException {
    Path other = Files.createDirectories(folder.resolve("ggufs"));
    RandomModel model = new RandomModel(RandomModel.qwen2(), 1);
    model.writeGguf(other.resolve("a.gguf"));
    try (ModelFile file = ModelFile.open(other)) {
      assertThat(file.config()).isEqualTo(RandomModel.qwen2());
    }
    model.writeGguf(other.resolve("b.gguf"));
    assertThatThrownBy(() -> ModelFile.open(other))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("holds 2 GGUF files; give one, for example")
        .hasMessageContaining("a.gguf");
  }

  @Test
  void saysWhatAPathShouldBe() {
    assertThatThrownBy(() -> ModelFile.open(folder.resolve("none")))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("does not exist");
    assertThatThrownBy(() -> ModelFile.open(folder.resolve("model.safetensors")))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("give the folder");
  }
}
