package org.chunkllama.sample;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ExpTest {
  @Test
  void closeToMathExp() {
    double worst = 0;
    for (float x = -86.9f; x < 88f; x += 0.00137f) {
      double exact = Math.exp(x);
      worst = Math.max(worst, Math.abs(Exp.exp(x) - exact) / exact);
    }
    assertThat(worst).isLessThan(2e-7);
  }

  @Test
  void edges() {
    assertThat(Exp.exp(0f)).isEqualTo(1f);
    assertThat(Exp.exp(Float.NEGATIVE_INFINITY)).isZero();
    assertThat(Exp.exp(-1000f)).isZero();
    assertThat(Exp.exp(Float.NaN)).isNaN();
  }
}
