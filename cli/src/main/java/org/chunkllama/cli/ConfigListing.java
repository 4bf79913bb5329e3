package org.chunkllama.cli;

import java.util.Comparator;
import java.util.List;
import java.util.Set;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** The options in force, and where each comes from; a file of options when saved. */
final class ConfigListing {
  /** Options about this run of the command, not about the server. */
  private static final Set<String> NOT_LISTED =
      Set.of("--help", "--version", "--print-config", "--config", "--verbose", "--quiet");

  private static final String SECRET = "--api-key";

  private ConfigListing() {}

  static List<String> lines(ParseResult parsed, Defaults defaults) {
    return parsed.commandSpec().options().stream()
        .filter(option -> !NOT_LISTED.contains(option.longestName()))
        .sorted(Comparator.comparing(OptionSpec::longestName))
        .map(option -> line(option, parsed, defaults))
        .toList();
  }

  private static String line(OptionSpec option, ParseResult parsed, Defaults defaults) {
    String name = option.longestName();
    Object value = option.getValue();
    boolean secret = name.equals(SECRET) && value != null;
    String shown = secret ? "(hidden)" : value == null ? "" : text(option, value);
    String line = "%-24s %-16s # ".formatted(Defaults.key(name) + ":", shown);
    // Read again, a hidden key would be the key.
    boolean comment = secret || value == null;
    return (comment ? "# " : "") + line + source(option, parsed, defaults);
  }

  private static String text(OptionSpec option, Object value) {
    if (value instanceof java.time.Duration time) {
      return time.toMillis() % 1000 == 0 ? time.toSeconds() + "s" : time.toMillis() + "ms";
    }
    return option.type().isEnum()
        ? value.toString().toLowerCase(java.util.Locale.ROOT)
        : value.toString();
  }

  private static String source(OptionSpec option, ParseResult parsed, Defaults defaults) {
    if (parsed.hasMatchedOption(option)) {
      return "flag";
    }
    if (defaults.fromEnvironment(option) != null) {
      return "environment " + Defaults.variable(option.longestName());
    }
    return defaults.fromFile(option) != null ? "file" : "default";
  }
}
