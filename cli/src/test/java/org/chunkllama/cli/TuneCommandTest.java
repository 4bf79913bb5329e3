package org.chunkllama.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** {@code tune} where there is no GPU. */
class TuneCommandTest {
  @Test
  void saysPlainlyThatThereIsNothingToTune() {
    CommandRun run = CommandRun.of("tune", "--backend", "cpu", "--shape", "smollm2-135m");
    assertThat(run.status()).as(run.err()).isZero();
    assertThat(run.out()).isEqualTo("backend cpu has nothing to tune\n");
  }

  @Test
  void wrongArgumentsAreNamed() {
    assertThat(CommandRun.of("tune", "--shape", "gpt-5").err()).contains("unknown shape 'gpt-5'");
    assertThat(CommandRun.of("tune", "--chunk-size", "20").err()).contains("multiple of 16");
    assertThat(CommandRun.of("tune", "/no/such/model").status()).isEqualTo(1);
  }
}
