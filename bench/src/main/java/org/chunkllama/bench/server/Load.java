package org.chunkllama.bench.server;

import java.nio.file.Path;
import java.util.List;

/**
 * Requests that vLLM's client makes.
 *
 * @param name for people
 * @param options of that client that describe prompts and answers
 */
record Load(String name, List<String> options) {
  private static final String ANSWER_TOKENS = "64";

  /** 2,000 common tokens, 32 own, 64 generated. */
  static Load commonPrefix() {
    return new Load(
        "common prefix",
        List.of(
            "--dataset-name", "prefix_repetition",
            "--prefix-repetition-prefix-len", "2000",
            "--prefix-repetition-suffix-len", "32",
            "--prefix-repetition-num-prefixes", "1",
            "--prefix-repetition-output-len", ANSWER_TOKENS));
  }

  /**
   * Prompts of a file.
   *
   * @param file a JSON object with a prompt in each line
   */
  static Load ofFile(String name, Path file) {
    return new Load(
        name,
        List.of(
            "--dataset-name",
            "custom",
            "--dataset-path",
            file.toString(),
            "--skip-chat-template",
            "--custom-output-len",
            ANSWER_TOKENS));
  }

  /** Random prompts that share nothing. */
  static Load nothingShared() {
    return new Load(
        "nothing shared",
        List.of(
            "--dataset-name", "random",
            "--random-input-len", "128",
            "--random-output-len", ANSWER_TOKENS));
  }
}
