package org.chunkllama.cli;

import picocli.CommandLine.Option;

/** Whether a benchmark prints JSON lines, one for each of its results. */
final class JsonLines {
  @Option(names = "--json", description = "Print JSON, a line for each result.")
  private boolean json;

  boolean wanted() {
    return json;
  }
}
