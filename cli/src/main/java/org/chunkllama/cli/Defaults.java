package org.chunkllama.cli;

import java.io.UncheckedIOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.chunkllama.error.InvalidRequestException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

/**
 * Options from elsewhere than the command line: what a flag says counts first, then the environment
 * ({@code --max-sequences} is {@code CHUNKLLAMA_MAX_SEQUENCES}), then the file, then the built-in
 * default.
 */
final class Defaults implements IDefaultValueProvider {
  private static final String CONFIG = "--config";

  private final UnaryOperator<@Nullable String> environment;
  private final String[] args;
  private @Nullable Map<String, String> file;

  /**
   * Where to look.
   *
   * @param environment values of variables; null where one is not set
   * @param args the command line, for the name of the file
   */
  Defaults(UnaryOperator<@Nullable String> environment, String[] args) {
    this.environment = environment;
    this.args = args;
  }

  @Override
  public @Nullable String defaultValue(ArgSpec argument) {
    if (!(argument instanceof OptionSpec option) || option.usageHelp() || option.versionHelp()) {
      return null;
    }
    String value = fromEnvironment(option);
    return value != null ? value : fromFile(option);
  }

  @Nullable String fromEnvironment(OptionSpec option) {
    return environment.apply(variable(option.longestName()));
  }

  /** {@code --max-sequences} is {@code CHUNKLLAMA_MAX_SEQUENCES}. */
  static String variable(String option) {
    return "CHUNKLLAMA_" + key(option).replace('-', '_').toUpperCase(Locale.ROOT);
  }

  /** {@code --max-sequences} is {@code max-sequences} in files. */
  static String key(String option) {
    return option.replaceFirst("^-+", "");
  }

  @Nullable String fromFile(OptionSpec option) {
    return file(option.command()).get(key(option.longestName()));
  }

  private Map<String, String> file(CommandSpec command) {
    Map<String, String> read = file;
    if (read == null) {
      String path = path();
      read = path == null ? Map.of() : read(path, command);
      for (String key : read.keySet()) {
        if (command.findOption("--" + key) == null) {
          throw new ParameterException(
              command.commandLine(), "%s: there is no option '%s'".formatted(path, key));
        }
      }
      // Not before it is sound: picocli passes over what is thrown for flags without a value.
      file = read;
    }
    return read;
  }

  /** Another exception would reach the user with the values of all arguments around it. */
  private static Map<String, String> read(String path, CommandSpec command) {
    try {
      return ConfigFile.read(Path.of(path));
    } catch (InvalidRequestException e) {
      throw new ParameterException(command.commandLine(), String.valueOf(e.getMessage()));
    } catch (UncheckedIOException | InvalidPathException e) {
      throw new ParameterException(
          command.commandLine(),
          "--config: cannot read '%s'; give a readable file".formatted(path));
    }
  }

  private @Nullable String path() {
    for (int i = 0; i < args.length; i++) {
      if (args[i].startsWith(CONFIG + "=")) {
        return args[i].substring(CONFIG.length() + 1);
      }
      if (args[i].equals(CONFIG) && i + 1 < args.length) {
        return args[i + 1];
      }
    }
    return environment.apply(variable(CONFIG));
  }
}
