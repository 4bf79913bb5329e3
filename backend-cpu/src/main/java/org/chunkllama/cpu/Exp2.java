package org.chunkllama.cpu;

import static org.chunkllama.cpu.VectorShape.FLOATS;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** Powers of two, for softmax. */
final class Exp2 {
  // Adding 1.5 * 2^23 rounds to an integer, which is then in the low bits.
  private static final float ROUNDER = 12582912f;

  /** Below this the result would be subnormal: 0 instead. */
  private static final float MIN = -126;

  private Exp2() {}

  /**
   * 2^x for x up to 127, with a relative error below 2.5e-7; 0 below -126; NaN stays NaN.
   *
   * <p>2^x = 2^n 2^f with n the nearest integer; the polynomial is minimax in relative error on
   * [-0.5, 0.5] (7.5e-8, made with Remez' algorithm).
   */
  static FloatVector exp2(FloatVector x) {
    FloatVector shifted = x.add(ROUNDER);
    FloatVector f = x.sub(shifted.sub(ROUNDER));
    FloatVector p = f.fma(constant(1.3276472e-3f), constant(9.675541e-3f));
    p = p.fma(f, constant(5.550713e-2f));
    p = p.fma(f, constant(2.402212e-1f));
    p = p.fma(f, constant(6.9314694e-1f));
    p = p.fma(f, constant(1.0000001f));
    return p.reinterpretAsInts()
        .add(shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23))
        .reinterpretAsFloats()
        .blend(0, x.compare(VectorOperators.LT, MIN));
  }

  private static FloatVector constant(float value) {
    return FloatVector.broadcast(FLOATS, value);
  }
}
