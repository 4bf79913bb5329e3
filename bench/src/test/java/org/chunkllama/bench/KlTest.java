package org.chunkllama.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class KlTest {
  @Test
  void equalDistributionsAreAtZeroWhateverTheirShift() {
    assertThat(KlBench.kl(new float[] {1, 2, 3}, new float[] {1, 2, 3})).isZero();
    assertThat(KlBench.kl(new float[] {1, 2, 3}, new float[] {101, 102, 103}))
        .isCloseTo(0, within(1e-12));
  }

  @Test
  void agreesWithTheDefinition() {
    // p = (1/4, 3/4), q = (1/2, 1/2)
    float[] p = {0, (float) Math.log(3)};
    float[] q = {5, 5};
    double expected = 0.25 * Math.log(0.5) + 0.75 * Math.log(1.5);
    assertThat(KlBench.kl(p, q)).isCloseTo(expected, within(1e-7));
  }
}
