package org.chunkllama.cli;

import picocli.CommandLine.Option;

/** How often a benchmark lets two things take turns. */
final class Rounds {
  @Option(
      names = "--rounds",
      paramLabel = "N",
      description = "Rounds in which both take turns; medians count. Default: ${DEFAULT-VALUE}.")
  private int rounds;

  /** {@code rounds} where the command line says nothing. */
  Rounds(int rounds) {
    this.rounds = rounds;
  }

  /** 1 or more. */
  int count() {
    return Math.max(1, rounds);
  }
}
