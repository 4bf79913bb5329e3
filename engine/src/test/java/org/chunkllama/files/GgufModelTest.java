package org.chunkllama.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.assertj.core.api.AbstractThrowableAssert;
import org.chunkllama.error.ModelFileException;
import org.chunkllama.error.UnsupportedModelException;
import org.chunkllama.model.ModelConfig;
import org.chunkllama.model.RopeScaling;
import org.chunkllama.spi.DType;
import org.chunkllama.text.TokenizerSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Metadata and tensors of a GGUF file against each other. */
class GgufModelTest {
  private static final Map<ModelConfig, GgufWriter> SOUND = new HashMap<>();

  private final List<String> notes = new ArrayList<>();

  private static GgufWriter sound(ModelConfig config) {
    return SOUND.computeIfAbsent(config, c -> new RandomModel(c, 1).gguf(DType.F32)).copy();
  }

  private ModelFile open(ModelConfig config, Consumer<GgufWriter> change) {
    GgufWriter writer = sound(config);
    change.accept(writer);
    return open(writer);
  }

  private ModelFile open(GgufWriter writer) {
    return OpenModel.inArena(arena -> open(writer.bytes(), arena));
  }

  private ModelFile open(byte[] bytes, Arena arena) {
    GgufReader.Contents contents = GgufReader.read(MemorySegment.ofArray(bytes), "m.gguf");
    return GgufModel.model(
        contents, "m.gguf", Path.of("m.gguf"), arena, new RealModelsTest.NoteTaker(notes));
  }

  private AbstractThrowableAssert<?, ? extends Throwable> assertRefused(
      Consumer<GgufWriter> change) {
    return assertThatThrownBy(() -> open(RandomModel.llama(), change).close())
        .hasMessageStartingWith("m.gguf")
        .hasMessageNotContaining("\n");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "general.architecture",
        "llama.block_count",
        "llama.context_length",
        "llama.embedding_length",
        "llama.feed_forward_length",
        "llama.attention.head_count",
        "llama.attention.layer_norm_rms_epsilon"
      })
  void requiresKeys(String key) {
    assertRefused(w -> w.metadata.remove(key))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining(key + " is missing");
    assertRefused(w -> w.put(key, List.of("x"))).isInstanceOf(ModelFileException.class);
    assertRefused(w -> w.put(key, false)).isInstanceOf(ModelFileException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "block_count",
        "context_length",
        "embedding_length",
        "feed_forward_length",
        "attention.head_count",
        "attention.head_count_kv",
        "attention.key_length",
        "rope.dimension_count"
      })
  void refusesAbsurdNumbers(String key) {
    for (Object value : List.of(0, -1, Integer.MAX_VALUE, Long.MAX_VALUE, -1L, 1L << 32)) {
      assertRefused(w -> w.put("llama." + key, value)).isInstanceOf(ModelFileException.class);
    }
  }

  @ParameterizedTest
  @ValueSource(floats = {0, -1, 1, Float.NaN, Float.POSITIVE_INFINITY})
  void refusesAbsurdEpsilons(float epsilon) {
    assertRefused(w -> w.put("llama.attention.layer_norm_rms_epsilon", epsilon))
        .isInstanceOf(ModelFileException.class);
  }

  @ParameterizedTest
  @CsvSource({
    "llama.attention.head_count_kv, 3, cannot share",
    "llama.attention.key_length, 15, heads of 15 key and 16 value dims",
    "llama.rope.dimension_count, 18, does not fit",
    "llama.rope.dimension_count, 3, does not fit",
    "llama.block_count, 3, blk.2.attn_norm.weight is missing",
    "llama.block_count, 1, has no place",
    "llama.embedding_length, 32, of different models",
    "llama.feed_forward_length, 95, of different models",
    "llama.attention.head_count, 2, of different models"
  })
  void refusesContradictions(String key, int value, String message) {
    assertRefused(w -> w.put(key, value)).hasMessageContaining(message);
  }

  @Test
  void requiresEveryTensorInItsShape() {
    for (ModelConfig config :
        List.of(RandomModel.llama(), RandomModel.qwen2(), RandomModel.qwen3())) {
      for (GgufWriter.Tensor tensor : sound(config).tensors) {
        if (tensor.name().equals("output.weight")) {
          continue; // without it the embedding is tied
        }
        assertThatThrownBy(() ->
                open(config, w -> w.tensors.removeIf(t -> t.name().equals(tensor.name()))).close())
            .as("%s without %s", config.architecture(), tensor.name())
            .isInstanceOf(ModelFileException.class);
        assertThatThrownBy(() -> open(config, w -> halve(w, tensor.name())).close())
            .as("%s with half of %s", config.architecture(), tensor.name())
            .isInstanceOf(ModelFileException.class);
      }
    }
  }

  private static void halve(GgufWriter writer, String name) {
    writer.tensors.replaceAll(t -> {
      if (!t.name().equals(name)) {
        return t;
      }
      long[] shape = t.shape().clone();
      shape[0] /= 2;
      byte[] data = Arrays.copyOf(t.data(), t.data().length / 2);
      return new GgufWriter.Tensor(name, t.type(), shape, data);
    });
  }

  @ParameterizedTest
  @ValueSource(strings = {"version1", "version2", "version3"})
  void theFuzzTestsSeedsAreSound(String seed) throws IOException {
    try (var in = getClass().getResourceAsStream("ReadersFuzzTestInputs/gguf/" + seed)) {
      if (in == null) {
        throw new IOException("no seed " + seed);
      }
      byte[] bytes = in.readAllBytes();
      try (ModelFile file = OpenModel.inArena(arena -> open(bytes, arena))) {
        assertThat(file.config().layers()).isEqualTo(1);
      }
    }
  }

  @Test
  void withoutAnOutputLayerTheEmbeddingIsTied() {
    try (ModelFile file =
        open(RandomModel.llama(), w -> w.tensors.removeIf(t -> t.name().equals("output.weight")))) {
      assertThat(file.config().tiedEmbedding()).isTrue();
    }
  }

  @Test
  void refusesWeightsThatWouldBeIgnored() {
    assertRefused(w -> w.tensor("blk.0.ffn_up.bias", DType.F32, 96, 1, new byte[96 * 4]))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("\"blk.0.ffn_up.bias\" has no place in a llama model");
  }

  @ParameterizedTest
  @CsvSource({
    "general.architecture, gemma3, architecture \"gemma3\" is not supported",
    "tokenizer.ggml.model, t5, tokenizer \"t5\" is not supported",
    "llama.rope.scaling.type, longrope, rotary scaling \"longrope\" is not supported"
  })
  void namesWhatIsNotSupported(String key, String value, String message) {
    assertRefused(w -> w.put(key, value))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining(message);
  }

  @Test
  void namesOtherKindsOfModel() {
    assertRefused(w -> w.put("llama.expert_count", 8))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("experts");
    assertRefused(w -> w.put("split.count", 2))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("--merge");
    assertRefused(w -> w.put("llama.attention.head_count_kv", new int[] {2, 4}))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("differs from layer to layer");
    assertRefused(w -> w.put("llama.attention.value_length", 8))
        .isInstanceOf(UnsupportedModelException.class);
  }

  @Test
  void numbersPerLayerMayBeEqual() {
    try (ModelFile file =
        open(RandomModel.llama(), w -> w.put("llama.attention.head_count_kv", new int[] {2, 2}))) {
      assertThat(file.config().kvHeads()).isEqualTo(2);
    }
  }

  @Test
  void aSlidingWindowLimitsTheContext() {
    try (ModelFile file =
        open(RandomModel.llama(), w -> w.put("llama.attention.sliding_window", 100))) {
      assertThat(file.config().context()).isEqualTo(100);
      assertThat(notes).singleElement().asString().contains("limited to that (512 stated)");
    }
  }

  @Test
  void readsRotaryScaling() {
    assertThat(scaling(w -> {})).isEqualTo(new RopeScaling.None());
    assertThat(scaling(w -> w.put("llama.rope.scaling.factor", 0f)))
        .isEqualTo(new RopeScaling.None());
    assertThat(scaling(w -> w.put("llama.rope.scale_linear", 2f)))
        .isEqualTo(new RopeScaling.Linear(2));
    assertThat(
            scaling(w ->
                w.put("llama.rope.scaling.type", "linear").put("llama.rope.scaling.factor", 4f)))
        .isEqualTo(new RopeScaling.Linear(4));
    float[] factors = {1, 1, 2, 2, 4, 4, 8, 8};
    Consumer<GgufWriter> perFrequency =
        w -> w.tensor("rope_freqs.weight", DType.F32, 8, 1, Quantizer.encode(DType.F32, factors));
    assertThat(((RopeScaling.PerFrequency) scaling(perFrequency)).factors()).isEqualTo(factors);
    assertThat(
            ((RopeScaling.PerFrequency)
                    scaling(perFrequency.andThen(w -> w.put("llama.rope.scaling.factor", 2f))))
                .factors())
        .containsExactly(2, 2, 4, 4, 8, 8, 16, 16);
  }

  @Test
  void yarnStretchesTheContext() {
    Consumer<GgufWriter> yarn =
        w ->
            w.put("llama.rope.scaling.type", "yarn")
                .put("llama.rope.scaling.factor", 4f)
                .put("llama.rope.scaling.original_context_length", 256);
    assertThat(scaling(yarn)).isEqualTo(new RopeScaling.Yarn(4, 256, 32, 1, 0.1 * Math.log(4) + 1));
    try (ModelFile file = open(RandomModel.llama(), yarn)) {
      assertThat(file.config().context()).isEqualTo(1024);
    }
    assertThat(scaling(yarn.andThen(w -> w.put("llama.rope.scaling.attn_factor", 0.5f))))
        .isEqualTo(new RopeScaling.Yarn(4, 256, 32, 1, 0.5 * (0.1 * Math.log(4) + 1)));
  }

  private RopeScaling scaling(Consumer<GgufWriter> change) {
    try (ModelFile file = open(RandomModel.llama(), change)) {
      return file.config().ropeScaling();
    }
  }

  @Test
  void refusesBrokenRotaryFactors() {
    byte[] nan = Quantizer.encode(DType.F32, new float[] {1, 1, 1, Float.NaN, 1, 1, 1, 1});
    assertRefused(w -> w.tensor("rope_freqs.weight", DType.F32, 8, 1, nan))
        .isInstanceOf(ModelFileException.class);
    assertRefused(w -> w.tensor("rope_freqs.weight", DType.F32, 7, 1, new byte[28]))
        .isInstanceOf(ModelFileException.class);
    assertRefused(w -> w.tensor("rope_freqs.weight", DType.F32, 9, 1, new byte[36]))
        .isInstanceOf(ModelFileException.class);
  }

  @Test
  void readsBiasesAndNorms() {
    try (ModelFile file = open(RandomModel.qwen2(), w -> {})) {
      assertThat(file.config().qkvBias()).isTrue();
      assertThat(file.config().outputBias()).isFalse();
      assertThat(file.find("blk.1.attn_v.bias").orElseThrow().columns()).isEqualTo(32);
      assertThat(file.find("blk.9.attn_v.bias")).isEmpty();
    }
  }

  @Test
  void requiresATokenizer() {
    assertRefused(w -> w.metadata.remove("tokenizer.ggml.tokens"))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("has no tokenizer; convert the model again");
    assertRefused(w -> w.metadata.remove("tokenizer.ggml.model"))
        .hasMessageContaining("has no tokenizer");
    assertRefused(w -> w.metadata.remove("tokenizer.ggml.merges"))
        .hasMessageContaining("no merges");
    assertRefused(w -> w.put("tokenizer.ggml.model", "llama")).hasMessageContaining("no scores");
  }

  @Test
  void refusesBrokenTokenizers() {
    assertRefused(w -> w.put("tokenizer.ggml.tokens", List.of()))
        .isInstanceOf(ModelFileException.class);
    assertRefused(w -> w.put("tokenizer.ggml.tokens", new int[] {1, 2}))
        .isInstanceOf(ModelFileException.class);
    assertRefused(w ->
            w.put("tokenizer.ggml.tokens", new RandomTokens(321).all())
                .put("tokenizer.ggml.token_type", new int[321]))
        .hasMessageContaining("321 tokens do not fit an embedding of 320 rows");
    assertRefused(w -> w.put("tokenizer.ggml.token_type", new int[319]))
        .hasMessageContaining("319 token types for 320 tokens");
    assertRefused(w -> w.put("tokenizer.ggml.scores", new float[] {1}))
        .hasMessageContaining("1 token scores");
    assertRefused(w -> w.put("tokenizer.ggml.eos_token_id", 320))
        .isInstanceOf(ModelFileException.class);
    assertRefused(w -> w.put("tokenizer.chat_template", 5)).isInstanceOf(ModelFileException.class);
  }

  private record RandomTokens(int count) {
    List<String> all() {
      List<String> all = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        all.add("t" + i);
      }
      return all;
    }
  }

  @Test
  void sentencePieceHasItsOwnDefaults() {
    Consumer<GgufWriter> sentencePiece =
        w -> {
          w.metadata.keySet().removeIf(key -> key.startsWith("tokenizer.ggml."));
          w.put("tokenizer.ggml.model", "llama")
              .put("tokenizer.ggml.tokens", new RandomTokens(320).all())
              .put("tokenizer.ggml.scores", new float[320]);
        };
    try (ModelFile file = open(RandomModel.llama(), sentencePiece)) {
      TokenizerSpec.Gguf spec = (TokenizerSpec.Gguf) file.tokenizer();
      assertThat(spec.bosId()).isEqualTo(1);
      assertThat(spec.eosIds()).containsExactly(2);
      assertThat(spec.unknownId()).isEqualTo(0);
      assertThat(spec.addBos()).isTrue();
      assertThat(spec.addSpacePrefix()).isTrue();
    }
  }

  @Test
  void llama3BeginsWithBosAndEndsAtEveryMark() {
    Consumer<GgufWriter> llama3 =
        w -> {
          w.metadata.remove("tokenizer.ggml.add_bos_token");
          w.put("tokenizer.ggml.pre", "llama-bpe").put("tokenizer.ggml.eot_token_id", 1);
        };
    try (ModelFile file = open(RandomModel.llama(), llama3)) {
      TokenizerSpec.Gguf spec = (TokenizerSpec.Gguf) file.tokenizer();
      assertThat(spec.addBos()).isTrue();
      assertThat(spec.addSpacePrefix()).isFalse();
      assertThat(spec.eosIds()).containsExactly(2, 1, 0); // eos, eot, and <|endoftext|> by name
    }
  }

  @Test
  void readsNamedChatTemplates() {
    try (ModelFile file =
        open(
            RandomModel.llama(),
            w ->
                w.put("tokenizer.chat_templates", List.of("tool_use", "gone"))
                    .put("tokenizer.chat_template.tool_use", "tools"))) {
      assertThat(file.chatTemplates())
          .containsEntry("tool_use", "tools")
          .containsKey("default")
          .hasSize(2);
    }
  }

  @Test
  void aBrokenFileIsUnmapped(@TempDir Path folder) throws IOException {
    byte[] bytes = new RandomModel(RandomModel.llama(), 1).gguf(DType.F32).bytes();
    Path file = Files.write(folder.resolve("cut.gguf"), Arrays.copyOf(bytes, 100_000));
    assertThatThrownBy(() -> ModelFile.open(file))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("cut.gguf")
        .hasMessageContaining("fetch it again");
    Path maps = Path.of("/proc/self/maps");
    if (Files.exists(maps)) {
      assertThat(Files.readString(maps)).doesNotContain("cut.gguf");
    }
  }

  @Test
  void closedWeightsCannotBeRead(@TempDir Path folder) throws IOException {
    Path path = new RandomModel(RandomModel.llama(), 1).writeGguf(folder.resolve("m.gguf"));
    ModelFile file = ModelFile.open(path);
    MemorySegment data = file.find("output.weight").orElseThrow().data();
    file.close();
    file.close(); // twice is fine
    assertThatThrownBy(() -> data.get(ValueLayout.JAVA_BYTE, 0))
        .isInstanceOf(IllegalStateException.class);
  }
}
