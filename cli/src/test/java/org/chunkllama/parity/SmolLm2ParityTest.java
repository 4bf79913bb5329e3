package org.chunkllama.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.chunkllama.DefaultModel;
import org.chunkllama.GenerationRequest;
import org.chunkllama.GenerationResult;
import org.chunkllama.Llm;
import org.chunkllama.LlmOptions;
import org.chunkllama.Prompt;
import org.chunkllama.files.ModelFile;
import org.chunkllama.model.LlamaModel;
import org.chunkllama.model.ModelConfig;
import org.chunkllama.model.StepPlan;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.plan.AttentionPlanner;
import org.chunkllama.sample.GenerationOptions;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.BackendOptions.Precision;
import org.chunkllama.spi.Backends;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.Tensor;
import org.chunkllama.text.Message;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/**
 * The default model, from its GGUF, in fp32 on the CPU backend, gives what transformers gives from
 * the same file: prompt ids, 80 greedy tokens of five prompts of up to 1,500 tokens, logits. Made
 * by tools/goldens/smollm2.py.
 */
class SmolLm2ParityTest {
  private static final BackendOptions FP32 =
      BackendOptions.defaults().withPrecision(Precision.FP32);
  private static final int CHUNK = 64;
  private static final int SLICE = 256;

  private static Path model;
  private static JsonNode prompts;

  @BeforeAll
  static void open() throws IOException {
    model = DefaultModel.require();
    try (InputStream in =
        Objects.requireNonNull(
            SmolLm2ParityTest.class.getResourceAsStream("/goldens/smollm2.json"))) {
      prompts = new ObjectMapper().readTree(in).get("prompts");
    }
  }

  private static int[] ints(JsonNode array) {
    return array.valueStream().mapToInt(JsonNode::asInt).toArray();
  }

  private static Prompt prompt(JsonNode golden) {
    if (golden.has("text")) {
      return new Prompt.Raw(golden.get("text").asString(), false);
    }
    return new Prompt.Chat(
        golden
            .get("messages")
            .valueStream()
            .map(m -> new Message(m.get("role").asString(), m.get("content").asString()))
            .toList());
  }

  @Test
  void greedyTokensTogetherAndCached() {
    LlmOptions options =
        LlmOptions.defaults()
            .withBackend("cpu")
            .withBackendOptions(FP32)
            .withPoolBytes(400L << 20)
            .withChunkTokens(CHUNK);
    try (Llm llm = Llm.load(model, options)) {
      assertThat(llm.description()).contains("F32");
      List<GenerationRequest> requests = new ArrayList<>();
      for (JsonNode golden : prompts) {
        assertThat(llm.encode(prompt(golden))).isEqualTo(ints(golden.get("ids")));
        requests.add(
            GenerationRequest.of(prompt(golden))
                .withOptions(
                    GenerationOptions.defaults()
                        .withMaxTokens(golden.get("greedy").size())
                        .withIgnoreEos(true)));
      }
      assertThat(requests).hasSize(5);
      List<GenerationResult> cold = llm.generateAll(requests);
      for (int i = 0; i < cold.size(); i++) {
        assertThat(cold.get(i).tokenIds())
            .as("prompt %d, cold", i)
            .hasSizeGreaterThanOrEqualTo(64)
            .isEqualTo(ints(prompts.get(i).get("greedy")));
      }
      // the longest again, now cached, and sharing with itself
      GenerationRequest last = requests.getLast();
      for (GenerationResult warm : llm.generateAll(List.of(last, last, last))) {
        assertThat(warm.cachedTokens()).isGreaterThan(1000);
        assertThat(warm.tokenIds()).isEqualTo(ints(prompts.get(4).get("greedy")));
      }
    }
  }

  @Test
  void logitsWithinAThousandth() {
    try (ModelFile file = ModelFile.open(model);
        Backend backend = Backends.open("cpu", FP32)) {
      ModelConfig c = file.config();
      int chunks = 2048 / CHUNK;
      try (LlamaModel llama =
              LlamaModel.load(backend, c, file, SLICE, chunks * CHUNK, (_, _) -> {});
          KvCache cache =
              backend.kvCache(
                  new KvLayout(c.layers(), c.kvHeads(), c.headDim(), CHUNK, DType.F32), chunks)) {
        AttentionPlanner planner =
            new AttentionPlanner(CHUNK, backend.parallelism(), c.heads(), c.kvHeads(), true);
        for (JsonNode golden : prompts) {
          assertLogits(llama, cache, planner, golden);
        }
      }
    }
  }

  private static void assertLogits(
      LlamaModel llama, KvCache cache, AttentionPlanner planner, JsonNode golden) {
    int[] ids =
        IntStream.concat(
                Arrays.stream(ints(golden.get("ids"))), Arrays.stream(ints(golden.get("greedy"))))
            .toArray();
    int[] chunkIds = IntStream.range(0, cache.chunks()).toArray();
    int compared = 0;
    for (int from = 0; from < ids.length; from += SLICE) {
      int start = from;
      int to = Math.min(ids.length, from + SLICE);
      int[] positions =
          golden.get("logits").propertyNames().stream()
              .mapToInt(Integer::parseInt)
              .filter(p -> p >= start && p < to)
              .toArray();
      planner.begin();
      planner.add(chunkIds, from, to - from);
      AttentionPlan plan = planner.finish();
      int[] rows = Arrays.stream(positions).map(p -> p - start).toArray();
      Tensor logits =
          llama.forward(
              new StepPlan(
                  Arrays.copyOfRange(ids, from, to), plan.rowPosition, rows, rows.length, plan),
              cache);
      float[] row = new float[llama.config().vocabulary()];
      for (int i = 0; i < rows.length; i++) {
        logits.read(i, row, 0);
        assertRow(row, golden, positions[i]);
        compared++;
      }
    }
    assertThat(compared).isEqualTo(golden.get("logits").size());
  }

  /** Within 1e-3 of each value; of values near zero, within 1e-3 of a hundredth of the largest. */
  private static void assertRow(float[] row, JsonNode golden, int position) {
    JsonNode expected = golden.get("logits").get(String.valueOf(position));
    float floor = (float) expected.get("max").asDouble() / 100;
    int stride = golden.get("stride").asInt();
    JsonNode strided = expected.get("strided");
    for (int i = 0; i < strided.size(); i++) {
      assertClose(row[i * stride], (float) strided.get(i).asDouble(), floor, position, i * stride);
    }
    for (JsonNode pair : expected.get("top")) {
      int id = pair.get(0).asInt();
      assertClose(row[id], (float) pair.get(1).asDouble(), floor, position, id);
    }
  }

  private static void assertClose(float got, float expected, float floor, int position, int id) {
    assertThat(got)
        .as("logit of token %d at position %d", id, position)
        .isCloseTo(expected, within(1e-3f * Math.max(Math.abs(expected), floor)));
  }
}
