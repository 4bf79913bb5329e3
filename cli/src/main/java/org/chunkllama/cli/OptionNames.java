package org.chunkllama.cli;

import java.util.Map;
import java.util.regex.Pattern;

/** The library's messages with its parameters called as the command line calls them. */
final class OptionNames {
  private static final Pattern CAMEL_CASE = Pattern.compile("\\b[a-z]+(?:[A-Z][a-z]*)+\\b");
  private static final Map<String, String> OWN_NAMES =
      Map.of(
          "chunkTokens", "chunk-size",
          "poolBytes", "kv-memory",
          "stepTokens", "max-batch-tokens",
          "queueCapacity", "max-queue",
          "poolShare", "tenant-pool-share",
          "queuedTokens", "tenant-queued-tokens");

  private OptionNames() {}

  /** {@code maxTokens must be 1 or more} becomes {@code --max-tokens must be 1 or more}. */
  static String in(String message) {
    return CAMEL_CASE.matcher(message).replaceAll(match -> "--" + option(match.group()));
  }

  private static String option(String parameter) {
    String kebab = parameter.replaceAll("([A-Z])", "-$1").toLowerCase(java.util.Locale.ROOT);
    return OWN_NAMES.getOrDefault(parameter, kebab);
  }
}
