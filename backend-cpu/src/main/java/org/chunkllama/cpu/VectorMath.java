package org.chunkllama.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** Functions of vectors that the processor has no instruction for. */
final class VectorMath {
  private static final float LOG2_E = 1.442695f;
  // ln 2 in two parts: the first has few bits, so that n times it is exact.
  private static final float LN2_HIGH = 0.6933594f;
  private static final float LN2_LOW = -2.1219444e-4f;
  // Adding 1.5 * 2^23 rounds to an integer, which is then in the low bits.
  private static final float ROUNDER = 12582912f;

  /** Beyond these exp leaves the range of normal floats. */
  private static final float MIN = -87.3f;

  private static final float MAX = 88.3f;

  private VectorMath() {}

  /**
   * e^x, within 2 units in the last place; x is clamped to [-87.3, 88.3], so that results stay
   * normal and finite: exp(-infinity) is 1.2e-38, not 0.
   */
  static FloatVector exp(FloatVector x) {
    FloatVector clamped = x.max(MIN).min(MAX);
    FloatVector shifted = clamped.mul(LOG2_E).add(ROUNDER);
    FloatVector n = shifted.sub(ROUNDER);
    FloatVector r = fma(n, -LN2_HIGH, clamped);
    r = fma(n, -LN2_LOW, r);
    // Minimax polynomial of e^r on [-ln 2 / 2, ln 2 / 2] (Cephes).
    FloatVector p = fma(r, 1.9875691e-4f, broadcast(1.3981999e-3f));
    p = p.fma(r, broadcast(8.333452e-3f));
    p = p.fma(r, broadcast(4.1665796e-2f));
    p = p.fma(r, broadcast(1.6666666e-1f));
    p = p.fma(r, broadcast(0.5f));
    p = p.fma(r.mul(r), r.add(1f));
    IntVector exponent = shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
    return p.reinterpretAsInts().add(exponent).reinterpretAsFloats();
  }

  private static FloatVector fma(FloatVector a, float b, FloatVector c) {
    return a.fma(broadcast(b), c);
  }

  private static FloatVector broadcast(float value) {
    return FloatVector.broadcast(VectorShape.FLOATS, value);
  }
}
