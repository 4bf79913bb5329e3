package org.chunkllama.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Help, versions, and what wrong calls are told. */
class UsageTest {
  @Test
  void versionIsTheBuilds() {
    CommandRun run = CommandRun.of("--version");
    assertThat(run.status()).isZero();
    assertThat(run.out()).matches("(?s)chunkllama \\d+\\.\\d+\\.\\S+\\RJava 25.*");
  }

  @ParameterizedTest
  @ValueSource(strings = {"chat", "generate", "tree", "inspect", "pull", "bench"})
  void everyCommandHelpsWithExamples(String command) {
    CommandRun run = CommandRun.of(command, "--help");
    assertThat(run.status()).isZero();
    assertThat(run.out()).contains("Usage: chunkllama " + command).contains("Examples:");
    assertThat(CommandRun.of("--help").out()).contains("  " + command);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"offline", "advantage", "kernel", "sampling", "peers", "profile", "kl", "jmh"})
  void everyBenchmarkHelpsWithExamples(String benchmark) {
    CommandRun run = CommandRun.of("bench", benchmark, "--help");
    assertThat(run.status()).isZero();
    assertThat(run.out()).contains("Usage: chunkllama bench " + benchmark).contains("Examples:");
  }

  @ParameterizedTest
  @CsvSource({"kernel,11", "advantage,11", "product,21"})
  void roundsHaveADefaultOfTheirOwn(String benchmark, int rounds) {
    assertThat(CommandRun.of("bench", benchmark, "--help").out().replaceAll("\\s+", " "))
        .contains("medians count. Default: %d.".formatted(rounds))
        .contains("--json Print JSON, a line for each result.");
  }

  @Test
  void aBenchmarkWithoutRoundsIsRefused() {
    CommandRun run = CommandRun.of("bench", "product", "--rounds", "0");
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err()).contains("--rounds must be 1 or more, not 0");
    assertThat(run.out()).isEmpty();
  }

  @Test
  void unknownOptionIsOneLineWithASuggestion() {
    assertUsage(
        List.of("generate", "--tempreture", "1", "x"),
        "chunkllama generate: Unknown option: '--tempreture'; did you mean --temperature?");
  }

  @Test
  void unknownCommandIsOneLineWithASuggestion() {
    assertUsage(List.of("genrate"), "did you mean generate?");
  }

  @Test
  void wrongValuesAreNamedAsTheOptionIs() {
    assertUsage(List.of("generate", "--chunk-size", "17", "x"), "--chunk-size must be a multiple");
    assertUsage(List.of("generate", "--max-tokens", "0", "x"), "--max-tokens must be 1 or more");
    assertUsage(List.of("generate", "--top-p", "1.5", "x"), "--top-p must be above 0");
    assertUsage(List.of("generate", "--kv-memory", "2q", "x"), "'2q' is not a size");
    assertUsage(List.of("generate", "--threads", "-1", "x"), "threads must not be negative");
    assertUsage(
        List.of("generate", "--beams", "2", "--temperature", "1", "x"), "beam search needs");
    assertUsage(List.of("bench", "offline", "--prefix", "0"), "must be 1 or more");
  }

  @Test
  void optionsThatDoNotFitTogetherAreRefused() {
    assertUsage(List.of("generate"), "give a PROMPT, or --prompts FILE");
    assertUsage(List.of("generate", "--prompts", "f.jsonl", "x"), "not both");
    assertUsage(List.of("generate", "--logprobs", "2", "x"), "--logprobs needs --json");
    assertUsage(List.of("chat", "--n", "3"), "a chat has one answer");
    assertUsage(List.of("pull"), "give a MODEL, or --list");
  }

  private static void assertUsage(List<String> arguments, String told) {
    CommandRun run = CommandRun.of(arguments.toArray(String[]::new));
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.out()).isEmpty();
    assertThat(run.err()).contains(told);
    assertThat(run.err().lines()).hasSize(1);
  }

  @Test
  void failuresAreOneLineAndTheTraceOnlyIfAskedFor(@TempDir Path folder) throws IOException {
    String missing = folder.resolve("missing.jsonl").toString();
    CommandRun run = CommandRun.of("generate", "--prompts", missing);
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err()).isEqualToIgnoringNewLines("chunkllama: no such file: " + missing);
    assertThat(CommandRun.of("generate", "--verbose", "--prompts", missing).err())
        .contains("NoSuchFileException")
        .contains("\tat ");
    Path noModel = Files.writeString(folder.resolve("text.gguf"), "not a model");
    CommandRun inspect = CommandRun.of("inspect", noModel.toString());
    assertThat(inspect.status()).isEqualTo(1);
    assertThat(inspect.err().lines()).hasSize(1);
    assertThat(inspect.err()).contains("text.gguf").doesNotContain("internal error");
  }

  @Test
  void unknownModelIsToldWhatThereIs() {
    CommandRun run = CommandRun.of("inspect", "smollm3-unheard-of");
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err()).contains("smollm3-unheard-of").contains("smollm2-135m");
    assertThat(run.err().lines()).hasSize(1);
  }

  @Test
  void catalogueIsListed() {
    CommandRun run = CommandRun.of("pull", "--list");
    assertThat(run.status()).isZero();
    assertThat(run.out()).contains("smollm2-135m").contains("Apache-2.0").contains("93.8 MiB");
    assertThat(
            CommandRun.of("pull", "--list", "--json").json().getFirst().get("sha256").stringValue())
        .isEqualTo("b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53");
  }
}
