package org.chunkllama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.chunkllama.LlmOptions.KvType;
import org.chunkllama.LlmOptions.LoadFormat;
import org.chunkllama.error.ChunkLlamaException;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.error.ModelFileException;
import org.chunkllama.files.Progress;
import org.chunkllama.files.RandomModel;
import org.chunkllama.sample.GenerationOptions;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.BackendOptions.Precision;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Random weights for a configuration. */
class DummyModelTest {
  private static final LlmOptions OPTIONS =
      LlmOptions.defaults()
          .withBackend("reference")
          .withKvType(KvType.F32)
          .withPoolBytes(16 << 20)
          .withChunkTokens(16);
  private static final LlmOptions DUMMY = OPTIONS.withLoadFormat(LoadFormat.DUMMY);
  private static final int[] PROMPT = {3, 100, 7, 55, 268};

  @TempDir private Path folder;

  @BeforeEach
  void write() throws IOException {
    new RandomModel(RandomModel.qwen3(), 1).writeHuggingFace(folder);
  }

  private static int[] answer(Path model, LlmOptions options) {
    try (Llm llm = Llm.load(model, options)) {
      return llm.generate(
              GenerationRequest.tokens(PROMPT)
                  .withOptions(GenerationOptions.defaults().withMaxTokens(9).withIgnoreEos(true)))
          .result()
          .tokenIds();
    }
  }

  @Test
  void configurationAloneIsEnoughForTokenIds() throws IOException {
    int[] withAll = answer(folder, DUMMY);
    Files.delete(folder.resolve("model.safetensors"));
    Files.delete(folder.resolve("tokenizer.json"));
    assertThat(answer(folder, DUMMY)).isEqualTo(withAll).hasSize(9);
    assertThat(Arrays.stream(withAll).distinct().count()).isGreaterThan(1);
    assertThatThrownBy(() -> Llm.load(folder, OPTIONS)).isInstanceOf(ModelFileException.class);
  }

  @Test
  void withoutATokenizerTextsAreRefusedAndIdsAreShown() throws IOException {
    Files.delete(folder.resolve("tokenizer.json"));
    List<String> notes = new ArrayList<>();
    try (Llm llm = Llm.load(folder, DUMMY, notesTo(notes))) {
      assertThat(notes).singleElement().asString().contains("no tokenizer").contains("token ids");
      assertThatThrownBy(() -> llm.generate(GenerationRequest.raw("Once")).result())
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("no tokenizer")
          .hasMessageContaining("token ids");
      assertThatThrownBy(() -> llm.generate("Hello").result())
          .isInstanceOf(ChunkLlamaException.class);
      GenerationResult result =
          llm.generate(
                  GenerationRequest.tokens(PROMPT)
                      .withOptions(GenerationOptions.defaults().withMaxTokens(4)))
              .result();
      String ids =
          Arrays.stream(result.tokenIds()).mapToObj(id -> " " + id).collect(Collectors.joining());
      assertThat(result.text()).isEqualTo(ids);
    }
  }

  @Test
  void withATokenizerTextsWork() {
    try (Llm llm = Llm.load(folder, DUMMY)) {
      assertThat(llm.name()).contains("random weights");
      assertThat(
              llm.generate(
                      GenerationRequest.raw("Once upon")
                          .withOptions(GenerationOptions.defaults().withMaxTokens(5)))
                  .result()
                  .tokenIds())
          .isNotEmpty();
    }
  }

  @Test
  void aGgufGivesItsConfigurationButNotItsWeights() throws IOException {
    Path file = new RandomModel(RandomModel.qwen2(), 1).writeGguf(folder.resolve("random.gguf"));
    assertThat(answer(file, DUMMY)).isNotEqualTo(answer(file, OPTIONS));
    Path other = new RandomModel(RandomModel.qwen2(), 2).writeGguf(folder.resolve("other.gguf"));
    assertThat(answer(other, DUMMY)).isEqualTo(answer(file, DUMMY));
  }

  @Test
  void fp16IsRefusedInOneLineWhereThereIsNone() {
    LlmOptions fp16 = DUMMY.withBackendOptions(new BackendOptions(1, Precision.FP16));
    assertThatThrownBy(() -> Llm.load(folder, fp16))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessage(
            "backend reference has no products in fp16: take --precision bf16 or fp32, or"
                + " --backend cuda");
  }

  private static Progress notesTo(List<String> notes) {
    return new Progress() {
      @Override
      public void begin(String what, long total, Unit unit) {}

      @Override
      public void advance(long done) {}

      @Override
      public void end() {}

      @Override
      public void note(String message) {
        notes.add(message);
      }
    };
  }
}
