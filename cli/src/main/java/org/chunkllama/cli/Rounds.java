package org.chunkllama.cli;

import org.chunkllama.error.InvalidRequestException;
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

  /**
   * 1 or more.
   *
   * @throws InvalidRequestException if fewer are asked for
   */
  int count() {
    if (rounds < 1) {
      throw new InvalidRequestException("--rounds must be 1 or more, not " + rounds);
    }
    return rounds;
  }
}
