package org.chunkllama.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Where prompts come from: the options that generate and tree share. */
final class PromptArguments {
  @Spec(Spec.Target.MIXEE)
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  @Parameters(
      paramLabel = "PROMPT",
      arity = "0..*",
      description = "What to answer; '-' reads it from standard input. Several run together.")
  private List<String> texts = new ArrayList<>();

  @Option(
      names = "--prompts",
      paramLabel = "FILE",
      description = {
        "JSON lines, all run together; '-' is standard input. A line has one of:",
        "  {\"prompt\": \"Why is the sky blue?\"}",
        "  {\"messages\": [{\"role\": \"user\", \"content\": \"Why?\"}]}",
        "  {\"token_ids\": [1, 4093, 260]}"
      })
  private @Nullable String file;

  @Option(
      names = "--system",
      paramLabel = "FILE",
      description = "Text file: a system prompt put before each prompt.")
  private @Nullable Path system;

  @Option(
      names = "--raw",
      description = "Continue the text as it is: no chat template; control tokens in it count.")
  private boolean raw;

  boolean raw() {
    return raw;
  }

  /** Name of the file of prompts for messages, or null. */
  @Nullable String file() {
    return file;
  }

  /**
   * All prompts in order.
   *
   * @throws ParameterException if there is none, or both a file and texts
   * @throws IOException if a file cannot be read
   */
  List<PromptLine> read(Console console) throws IOException {
    if (file != null) {
      if (!texts.isEmpty()) {
        throw usage("give either --prompts or PROMPT, not both");
      }
      return PromptFile.read(file, console);
    }
    if (texts.isEmpty()) {
      throw usage("give a PROMPT, or --prompts FILE");
    }
    List<PromptLine> lines = new ArrayList<>();
    for (String text : texts) {
      lines.add(new PromptLine(0, new PromptLine.Text(argument(text, console))));
    }
    return lines;
  }

  private static String argument(String text, Console console) throws IOException {
    if (!text.equals(PromptFile.STANDARD_INPUT)) {
      return text;
    }
    return new String(console.in().readAllBytes(), StandardCharsets.UTF_8).strip();
  }

  /** The system prompt, or null if none is given. */
  @Nullable String system() throws IOException {
    return system == null ? null : Files.readString(system);
  }

  private ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
