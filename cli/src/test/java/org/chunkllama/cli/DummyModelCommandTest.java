package org.chunkllama.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code --load-format dummy} where there is nothing but a configuration. */
class DummyModelCommandTest {
  static final String CONFIG =
      """
      {"model_type": "llama", "num_hidden_layers": 2, "hidden_size": 64, "num_attention_heads": 4,
       "num_key_value_heads": 2, "intermediate_size": 96, "vocab_size": 300,
       "max_position_embeddings": 512, "rms_norm_eps": 1e-5}
      """;

  @TempDir private Path folder;

  @BeforeEach
  void write() throws IOException {
    Files.writeString(folder.resolve("config.json"), CONFIG);
    Files.writeString(
        folder.resolve("prompts.jsonl"),
        "{\"token_ids\": [1, 2, 3]}\n{\"token_ids\": [1, 2, 4]}\n");
  }

  private CommandRun generate(String... more) {
    String[] all = {
      "generate", "--model", folder.toString(), "--kv-memory", "16m", "--backend", "cpu"
    };
    return CommandRun.of(Stream.of(all, more).flatMap(Arrays::stream).toArray(String[]::new));
  }

  @Test
  void generateAnswersTokenIds() {
    CommandRun run =
        generate(
            "--load-format",
            "dummy",
            "--tuning",
            "measure", // nothing to measure here
            "--json",
            "--max-tokens",
            "6",
            "--prompts",
            folder.resolve("prompts.jsonl").toString());
    assertThat(run.status()).as(run.err()).isZero();
    assertThat(run.err()).contains("has no tokenizer");
    assertThat(run.json()).hasSize(2);
    assertThat(run.json()).allMatch(line -> line.get("token_ids").size() == 6);
  }

  @Test
  void generateRefusesTextsAndAWeightlessModelWithoutTheOption() {
    CommandRun text = generate("--load-format", "dummy", "--raw", "Once upon a time");
    assertThat(text.status()).isEqualTo(1);
    assertThat(text.err()).contains("no tokenizer").contains("token ids");
    CommandRun auto = generate("--raw", "Once");
    assertThat(auto.status()).isEqualTo(1);
    assertThat(auto.err()).contains("model.safetensors");
    assertThat(generate("--load-format", "fake", "--raw", "Once").status()).isEqualTo(2);
    assertThat(generate("--tuning", "never", "--raw", "Once").err()).contains("--tuning");
  }

  @Test
  void benchDecodeTakesTheShapeOfAModel() {
    CommandRun run =
        CommandRun.of(
            "bench",
            "decode",
            "--backend",
            "cpu",
            "--model",
            folder.toString(),
            "--batch",
            "3",
            "--shared",
            "64",
            "--steps",
            "4",
            "--json");
    assertThat(run.status()).as(run.err()).isZero();
    assertThat(run.json()).hasSize(2);
    assertThat(run.json()).allMatch(line -> line.get("step_us").asDouble() > 0);
  }

  @Test
  void fp16IsRefusedOffTheGpu() {
    CommandRun run = generate("--load-format", "dummy", "--precision", "fp16", "--raw", "Once");
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err().lines().toList().getLast())
        .startsWith("chunkllama: backend cpu has no products in fp16");
  }
}
