package org.chunkllama.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.chunkllama.Completion;
import org.chunkllama.GenerationRequest;
import org.chunkllama.GenerationResult;
import org.chunkllama.Llm;
import org.chunkllama.LlmOptions;
import org.chunkllama.LlmOptions.KvType;
import org.chunkllama.files.ModelFile;
import org.chunkllama.sample.GenerationOptions;
import org.chunkllama.sample.GenerationOptions.EarlyStopping;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.BackendOptions.Precision;
import org.chunkllama.spi.Backends;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/**
 * Small random models of every family and rope scaling give transformers' logits, greedy tokens and
 * beams. Made by tools/goldens/random_models.py.
 */
class TransformersParityTest {
  private static final LlmOptions OPTIONS =
      LlmOptions.defaults()
          .withBackend(Goldens.backend())
          .withBackendOptions(BackendOptions.defaults().withPrecision(Precision.FP32))
          .withKvType(KvType.F32)
          .withChunkTokens(16)
          .withPoolBytes(16 << 20);

  private static JsonNode golden(String name) {
    return Goldens.json("/goldens/hf/" + name + ".json");
  }

  private static Path folder(String name) {
    return Goldens.path("/goldens/hf/" + name);
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama", "llama3", "linear", "mistral", "qwen2", "qwen2_yarn", "qwen3"})
  void logits(String name) {
    JsonNode golden = golden(name);
    int[] prompt = Goldens.ints(golden.get("prompt"));
    try (ModelFile file = ModelFile.open(folder(name));
        Backend backend =
            Backends.open(
                Goldens.backend(), BackendOptions.defaults().withPrecision(Precision.FP32))) {
      Map<Integer, float[]> got = new ForwardProbe(backend, file, 37).logits(prompt, 0, 63, 149);
      got.forEach((position, logits) -> {
        float[] expected = Goldens.floats(golden.get("logits").get(position.toString()));
        assertThat(logits).hasSameSizeAs(expected);
        for (int i = 0; i < expected.length; i++) {
          assertThat(logits[i])
              .as("position %d, token %d", position, i)
              .isCloseTo(expected[i], within(1e-4f * (1 + Math.abs(expected[i]))));
        }
      });
      assertThat(got).hasSize(3);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama", "llama3", "linear", "mistral", "qwen2", "qwen2_yarn", "qwen3"})
  void greedyTokensAndBeams(String name) {
    JsonNode golden = golden(name);
    int[] prompt = Goldens.ints(golden.get("prompt"));
    try (Llm llm = Llm.load(folder(name), OPTIONS)) {
      GenerationResult greedy =
          llm.generate(
                  GenerationRequest.tokens(prompt)
                      .withOptions(
                          GenerationOptions.defaults().withMaxTokens(48).withIgnoreEos(true)))
              .result();
      assertThat(greedy.tokenIds()).isEqualTo(Goldens.ints(golden.get("greedy")));
      for (JsonNode beams : golden.get("beams")) {
        assertBeams(llm, Arrays.copyOf(prompt, 40), beams);
      }
    }
  }

  private static void assertBeams(Llm llm, int[] prompt, JsonNode golden) {
    List<Integer> ends = golden.get("ends").valueStream().map(JsonNode::asInt).toList();
    GenerationOptions options =
        GenerationOptions.defaults()
            .withMaxTokens(24)
            .withIgnoreEos(true)
            .withStopIds(ends)
            .withBeams(golden.get("num_beams").asInt())
            .withN(golden.get("num_return_sequences").asInt())
            .withLengthPenalty(golden.get("length_penalty").asDouble())
            .withEarlyStopping(earlyStopping(golden.get("early_stopping")));
    List<Completion> completions =
        llm.generate(GenerationRequest.tokens(prompt).withOptions(options)).result().completions();
    JsonNode sequences = golden.get("sequences");
    assertThat(completions).hasSize(sequences.size());
    for (int i = 0; i < completions.size(); i++) {
      assertThat(completions.get(i).tokenIds())
          .as("beam %d of %s", i, golden)
          .isEqualTo(Goldens.ints(sequences.get(i)));
      double score = golden.get("scores").get(i).asDouble();
      assertThat(completions.get(i).score()).isCloseTo(score, within(2e-5 * (1 + Math.abs(score))));
    }
  }

  private static EarlyStopping earlyStopping(JsonNode value) {
    if (value.isString()) {
      return EarlyStopping.NEVER;
    }
    return value.asBoolean() ? EarlyStopping.FIRST_FINISHED : EarlyStopping.HEURISTIC;
  }
}
