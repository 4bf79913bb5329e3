package org.chunkllama.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import org.chunkllama.cli.LoggingSetup.Verbosity;
import org.chunkllama.error.ChunkLlamaException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Errors as one line for people; the stack trace only if asked for. */
final class Failures implements IParameterExceptionHandler {
  private final Console console;
  private final ChunkLlama root;

  Failures(Console console, ChunkLlama root) {
    this.console = console;
    this.root = root;
  }

  /** Says what failed; the exit status to leave with. */
  int report(Throwable error) {
    console.out().flush();
    console.say(message(error));
    if (root.verbosity() == Verbosity.VERBOSE) {
      error.printStackTrace(console.err());
    }
    return ChunkLlama.FAILED;
  }

  private static String message(Throwable error) {
    return switch (error) {
      case ChunkLlamaException e -> text(e);
      case UncheckedIOException e -> io(e.getCause());
      case IOException e -> io(e);
      case InterruptedException _ -> "interrupted";
      case OutOfMemoryError e ->
          "out of memory (%s); choose a smaller --kv-memory or --context".formatted(e.getMessage());
      default ->
          "internal error: %s; --verbose shows where, please report it"
              .formatted(oneLine(error.toString()));
    };
  }

  private static String io(@Nullable IOException error) {
    return switch (error) {
      case null -> "input or output failed";
      case NoSuchFileException e -> "no such file: " + e.getFile();
      case AccessDeniedException e -> "no permission to use " + e.getFile();
      default -> oneLine(String.valueOf(error.getMessage()));
    };
  }

  private static String text(Throwable error) {
    return oneLine(String.valueOf(error.getMessage()));
  }

  private static String oneLine(String text) {
    return text.strip().replaceAll("\\s*\\R\\s*", " ");
  }

  @Override
  public int handleParseException(ParameterException error, String[] args) {
    CommandLine command = error.getCommandLine();
    String name = command.getCommandSpec().qualifiedName();
    StringBuilder line = new StringBuilder(text(error));
    if (error instanceof UnmatchedArgumentException unmatched) {
      List<String> suggestions = unmatched.getSuggestions();
      if (!suggestions.isEmpty()) {
        line.append("; did you mean ").append(suggestions.getFirst()).append('?');
      }
    }
    // A failing converter names the option; a typed error of ours is clear by itself.
    console.err().println(name + ": " + line + " ('" + name + " --help' lists what there is)");
    console.err().flush();
    return command.getCommandSpec().exitCodeOnInvalidInput();
  }
}
