package org.chunkllama.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;

class VectorMathTest {
  @Test
  void expIsWithinTwoUnitsInTheLastPlace() {
    for (float x = -87.25f; x < 88.25f; x += 0.0137f) {
      float expected = (float) Math.exp(x);
      assertThat(Math.abs(exp(x) - expected)).isLessThanOrEqualTo(2 * Math.ulp(expected));
    }
    assertThat(exp(0)).isEqualTo(1f);
  }

  @Test
  void expStaysFiniteAndPositiveOutsideItsRange() {
    assertThat(exp(Float.NEGATIVE_INFINITY)).isBetween(0f, 2e-38f);
    assertThat(exp(-1e30f)).isBetween(0f, 2e-38f);
    assertThat(exp(Float.POSITIVE_INFINITY)).isBetween(1e38f, Float.MAX_VALUE);
  }

  private static float exp(float x) {
    return VectorMath.exp(FloatVector.broadcast(VectorShape.FLOATS, x)).lane(0);
  }
}
