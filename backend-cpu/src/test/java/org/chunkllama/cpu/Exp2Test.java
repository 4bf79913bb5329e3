package org.chunkllama.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;

class Exp2Test {
  @Test
  void relativeError() {
    double worst = 0;
    for (double x = -126; x < 16; x += 0.00037) {
      float in = (float) x;
      double exact = Math.pow(2, in);
      worst = Math.max(worst, Math.abs(exp2(in) - exact) / exact);
    }
    assertThat(worst).isLessThan(2.5e-7);
  }

  @Test
  void farBelowIsZero() {
    for (float x : new float[] {-126.01f, -1000, -1e30f, Float.NEGATIVE_INFINITY}) {
      assertThat(exp2(x)).isZero();
    }
  }

  private static float exp2(float x) {
    return Exp2.exp2(FloatVector.broadcast(VectorShape.FLOATS, x)).lane(0);
  }
}
