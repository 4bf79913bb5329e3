package org.chunkllama.parity;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.chunkllama.GenerationRequest;
import org.chunkllama.GenerationResult;
import org.chunkllama.Llm;
import org.chunkllama.LlmOptions;
import org.chunkllama.SharedAssets;
import org.chunkllama.sample.FinishReason;
import org.chunkllama.sample.GenerationOptions;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.BackendOptions.Precision;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.ObjectMapper;

/** A trained model from GGUF v1 and v2 gives llama2.c's own greedy tokens. */
class Stories260KTest {
  private static final String FOLDER = "models/stories260K/";

  private static GenerationResult run(String file, LlmOptions.KvType kvType) {
    LlmOptions options =
        LlmOptions.defaults()
            .withBackend(Goldens.backend())
            .withBackendOptions(BackendOptions.defaults().withPrecision(Precision.FP32))
            .withKvType(kvType)
            .withPoolBytes(16 << 20);
    try (Llm llm = Llm.load(SharedAssets.require(FOLDER + file), options)) {
      return llm.generate(
              GenerationRequest.tokens(llm.tokenizer().bosId())
                  .withOptions(GenerationOptions.defaults().withMaxTokens(200)))
          .result();
    }
  }

  @Test
  void f32GivesTheGoldenTokens() {
    Path golden = SharedAssets.require(FOLDER + "golden_greedy_200.json");
    GenerationResult result = run("tinyllamas-stories-260k-f32.gguf", LlmOptions.KvType.F32);
    assertThat(result.tokenIds())
        .isEqualTo(Goldens.ints(new ObjectMapper().readTree(golden).get("greedy_ids")));
    assertThat(result.text()).startsWith("Once upon a time, there was a little girl named Lily.");
    assertThat(result.finishReason()).isEqualTo(FinishReason.LENGTH);
  }

  @Test
  void q8TellsAStoryToo() {
    GenerationResult result = run("tinyllamas-stories-260k-q8_0.gguf", LlmOptions.KvType.BF16);
    assertThat(result.tokenIds()).hasSize(200);
    assertThat(result.text()).startsWith("Once upon a time, there was a little");
  }
}
