package org.chunkllama.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code generate} on a real model, in this process. */
class GenerateCommandTest {
  private static final String[] MEMBERS = {
    "index", "prompt_token_ids", "token_ids", "text", "finish_reason", "cached_tokens"
  };
  private static final String[] FIGURES = {
    "prompt_tokens",
    "prompt_tokens_computed",
    "prompt_tokens_reused",
    "generated_tokens",
    "ttft_seconds",
    "tokens_per_second",
    "kv_bytes_peak",
    "kv_bytes_peak_unshared"
  };

  @TempDir private Path folder;

  private CommandRun generate(String... more) {
    return generateWithInput("", more);
  }

  private CommandRun generateWithInput(String input, String... more) {
    List<String> arguments = new ArrayList<>();
    Collections.addAll(arguments, "generate", "--model", StoriesModel.path(), "--kv-memory", "64m");
    Collections.addAll(arguments, more);
    return CommandRun.withInput(input, arguments.toArray(String[]::new));
  }

  private String prompts(String... lines) throws IOException {
    return Files.write(folder.resolve("prompts.jsonl"), Arrays.asList(lines)).toString();
  }

  private JsonNode stats(Path file) throws IOException {
    return JsonMapper.builder().build().readTree(Files.readString(file));
  }

  @Test
  void onePromptStreamsAndEndsWithASummary() {
    CommandRun run = generate("--raw", "--max-tokens", "20", "Once upon a time");
    assertThat(run.status()).isZero();
    assertThat(run.out()).startsWith(", there was a little girl named").endsWith("\n");
    assertThat(run.err()).contains("generated 20 in").contains("tokens/s").contains("KV memory");
    assertThat(generate("-q", "--raw", "--max-tokens", "2", "Once").err()).isEmpty();
    assertThat(generateWithInput("Once upon a time\n", "--raw", "--max-tokens", "20", "-").out())
        .isEqualTo(run.out());
  }

  @Test
  void eightBitKvAnswersWhereTheBackendHasItAndIsRefusedElsewhere() {
    for (String type : List.of("fp8", "int8")) {
      CommandRun run =
          generate(
              "--raw",
              "--max-tokens",
              "6",
              "--backend",
              "reference",
              "--kv-type",
              type,
              "Once upon a time");
      assertThat(run.status()).as(run.err()).isZero();
      assertThat(run.out()).startsWith(", there was a");
      CommandRun refused = generate("--raw", "--backend", "cpu", "--kv-type", type, "Once");
      assertThat(refused.status()).isNotZero();
      assertThat(refused.err().lines())
          .singleElement()
          .asString()
          .contains("the cpu backend stores keys and values as F32, F16, BF16, not as");
    }
  }

  @Test
  void jsonLinesHaveExactlyTheirMembersInTheOrderOfThePrompts() throws IOException {
    String file =
        prompts(
            "{\"prompt\": \"Once upon a time\"}",
            "",
            "{\"messages\": [{\"role\": \"user\", \"content\": \"Tom had a dog.\"}]}",
            "{\"token_ids\": [1, 403, 407, 261, 378]}");
    CommandRun run = generate("--prompts", file, "--raw", "--json", "--max-tokens", "8");
    assertThat(run.status()).isZero();
    List<JsonNode> lines = run.json();
    assertThat(lines).hasSize(3);
    for (int i = 0; i < lines.size(); i++) {
      assertThat(lines.get(i).propertyNames()).containsExactly(MEMBERS);
      assertThat(lines.get(i).get("index").intValue()).isEqualTo(i);
      assertThat(lines.get(i).get("token_ids").size()).isEqualTo(8);
      assertThat(lines.get(i).get("finish_reason").stringValue()).isEqualTo("length");
    }
    assertThat(lines.get(2).get("prompt_token_ids").toString()).isEqualTo("[1,403,407,261,378]");
    assertThat(run.out().lines().findFirst().orElseThrow()).startsWith("{\"index\":0,");
  }

  @Test
  void identicalPromptsAreComputedOnce() throws IOException {
    int[] ids = IntStream.range(0, 100).map(i -> i == 0 ? 1 : 260 + i).toArray();
    String line = "{\"token_ids\": " + Arrays.toString(ids) + "}";
    String file = prompts(Collections.nCopies(32, line).toArray(String[]::new));
    Path stats = folder.resolve("stats.json");
    CommandRun run =
        generate(
            "--prompts",
            file,
            "--json",
            "--max-tokens",
            "4",
            "--chunk-size",
            "16",
            "--stats",
            stats.toString());
    assertThat(run.status()).isZero();
    JsonNode figures = stats(stats);
    assertThat(figures.propertyNames()).containsExactly(FIGURES);
    assertThat(figures.get("prompt_tokens").intValue()).isEqualTo(3200);
    assertThat(figures.get("prompt_tokens_computed").intValue()).isEqualTo(100);
    assertThat(figures.get("prompt_tokens_reused").intValue()).isEqualTo(3100);
    assertThat(figures.get("generated_tokens").intValue()).isEqualTo(128);
    assertThat(figures.get("ttft_seconds").doubleValue()).isPositive();
    assertThat(figures.get("tokens_per_second").doubleValue()).isPositive();
    assertThat(run.json().stream().map(answer -> answer.get("token_ids")).distinct()).hasSize(1);
  }

  @Test
  void sharingSavesMemoryAndSharingOffDoesNot() throws IOException {
    String file =
        prompts(
            IntStream.range(0, 8)
                .mapToObj(i -> "{\"prompt\": \" Story " + "abcdefgh".charAt(i) + "\"}")
                .toArray(String[]::new));
    Path system =
        Files.writeString(folder.resolve("system.txt"), "Lily went to the big park. ".repeat(15));
    Path shared = folder.resolve("shared.json");
    Path apart = folder.resolve("apart.json");
    String[] common = {
      "--prompts",
      file,
      "--system",
      system.toString(),
      "--raw",
      "--json",
      "--max-tokens",
      "8",
      "--chunk-size",
      "16",
      "--precision",
      "fp32",
      "--kv-type",
      "fp32",
      "--stats"
    };
    CommandRun with = generate(append(common, shared.toString()));
    CommandRun without = generate(append(common, apart.toString(), "--no-prefix-sharing"));
    assertThat(with.status()).isZero();
    assertThat(without.status()).isZero();
    JsonNode a = stats(shared);
    JsonNode b = stats(apart);
    assertThat(a.get("kv_bytes_peak").longValue())
        .isLessThan(a.get("kv_bytes_peak_unshared").longValue() / 3);
    assertThat(b.get("kv_bytes_peak").longValue())
        .isEqualTo(b.get("kv_bytes_peak_unshared").longValue());
    assertThat(b.get("prompt_tokens_reused").longValue()).isZero();
    assertThat(with.json().stream().map(line -> line.get("token_ids")).toList())
        .isEqualTo(without.json().stream().map(line -> line.get("token_ids")).toList());
  }

  private static String[] append(String[] array, String... more) {
    String[] all = Arrays.copyOf(array, array.length + more.length);
    System.arraycopy(more, 0, all, array.length, more.length);
    return all;
  }

  @Test
  void aPromptTooLongFailsAloneAndTheOthersFinish() throws IOException {
    int[] tooLong = new int[600];
    Arrays.fill(tooLong, 300);
    String file =
        prompts(
            "{\"prompt\": \"Once\"}",
            "{\"token_ids\": " + Arrays.toString(tooLong) + "}",
            "{\"prompt\": \"Tom\"}");
    CommandRun run = generate("--prompts", file, "--raw", "--json", "--max-tokens", "4");
    assertThat(run.status()).isEqualTo(1);
    List<JsonNode> lines = run.json();
    assertThat(lines.stream().map(line -> line.get("finish_reason").stringValue()))
        .containsExactly("length", "error", "length");
    assertThat(lines.get(1).propertyNames()).containsExactly(MEMBERS);
    assertThat(lines.get(1).get("token_ids").size()).isZero();
    assertThat(run.err()).contains("line 2: ").contains("600").contains("512");
  }

  @Test
  void aMalformedLineEndsTheRunBeforeItBegins() throws IOException {
    String file = prompts("{\"prompt\": \"Once\"}", "{\"prompt\": }");
    CommandRun run = generate("--prompts", file, "--json");
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.out()).isEmpty();
    assertThat(run.err()).startsWith("chunkllama: " + file + ":2: not valid JSON");
    assertThat(run.err().lines()).hasSize(1);
  }

  @Test
  void severalAnswersAndLogprobs() {
    CommandRun run =
        generate(
            "--raw",
            "--json",
            "--n",
            "3",
            "--temperature",
            "1",
            "--seed",
            "7",
            "--max-tokens",
            "6",
            "--logprobs",
            "2",
            "Once upon a time");
    assertThat(run.status()).isZero();
    assertThat(run.json()).hasSize(3);
    for (JsonNode answer : run.json()) {
      assertThat(answer.get("index").intValue()).isZero();
      assertThat(answer.get("logprobs").size()).isEqualTo(answer.get("token_ids").size());
      assertThat(answer.get("logprobs").get(0).get("top").size()).isEqualTo(2);
    }
    CommandRun beams = generate("--raw", "--beams", "3", "--max-tokens", "6", "Once upon a time");
    assertThat(beams.status()).isZero();
    assertThat(beams.out()).isNotBlank();
  }

  @Test
  void stopStringsEndAnAnswer() {
    CommandRun run =
        generate("--raw", "--json", "--max-tokens", "50", "--stop", "girl", "Once upon a time");
    JsonNode answer = run.json().getFirst();
    assertThat(answer.get("finish_reason").stringValue()).isEqualTo("stop");
    assertThat(answer.get("text").stringValue()).isEqualTo(", there was a little ");
  }

  @Test
  void severalPromptsAsTextAreHeaded() {
    CommandRun run = generate("--raw", "--max-tokens", "3", "Once", "Tom");
    assertThat(run.status()).isZero();
    assertThat(run.out()).contains("── prompt 0\n").contains("── prompt 1\n");
  }
}
