package org.chunkllama.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RatiosTest {
  @Test
  void medians() {
    assertThat(Ratios.median(new double[] {3, 1, 2})).isEqualTo(2);
    assertThat(Ratios.median(new double[] {4, 1, 3, 2})).isEqualTo(2.5);
  }
}
