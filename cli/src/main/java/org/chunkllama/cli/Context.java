package org.chunkllama.cli;

import org.chunkllama.cli.LoggingSetup.Verbosity;
import org.chunkllama.files.Progress;

/** What every command is given: where to write, and how much. */
final class Context {
  private final Console console;
  private final ChunkLlama root;

  Context(Console console, ChunkLlama root) {
    this.console = console;
    this.root = root;
  }

  Console console() {
    return console;
  }

  boolean quiet() {
    return root.verbosity() == Verbosity.QUIET;
  }

  /** Progress of downloads and loads: a bar on a terminal, else lines. */
  Progress progress() {
    if (quiet()) {
      return Progress.NONE;
    }
    return console.errTerminal() ? new ProgressBars(console) : new ProgressLines(console);
  }
}
