package org.chunkllama.cli;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A command run in this process, and what came of it.
 *
 * @param status exit status
 * @param out standard output
 * @param err standard error
 */
record CommandRun(int status, String out, String err) {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  /** Runs a command with nothing to read. */
  static CommandRun of(String... arguments) {
    return withInput("", arguments);
  }

  /** Runs a command that reads {@code input}. */
  static CommandRun withInput(String input, String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Console console =
        new Console(
            new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)),
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            false,
            false);
    int status = ChunkLlama.run(arguments, console);
    return new CommandRun(
        status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  /** The lines of standard output as JSON. */
  List<JsonNode> json() {
    return out.lines().map(JSON::readTree).toList();
  }

  /** All of standard output as one JSON value. */
  JsonNode jsonValue() {
    return JSON.readTree(out);
  }
}
