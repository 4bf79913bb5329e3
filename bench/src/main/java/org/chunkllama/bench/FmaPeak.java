package org.chunkllama.bench;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * What one core can do at most: fused multiply-adds in fp32 on registers alone, in as many
 * independent chains as hide their latency.
 */
public final class FmaPeak {
  private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
  private static final int CHAINS = 12;

  private float sink;

  /** One core's peak; each thread needs its own. */
  public FmaPeak() {}

  /** Floating-point operations of one {@link #run} with {@code steps} steps, 2 per multiply-add. */
  public static double operations(int steps) {
    return 2.0 * CHAINS * FLOATS.length() * steps;
  }

  /** Steps that make at least {@code operations} operations. */
  public static int steps(double operations) {
    return (int) Math.ceil(operations / operations(1));
  }

  /** Runs {@code steps} times one multiply-add in each chain. */
  public void run(int steps) {
    // Not constants, so that nothing is computed ahead; the chains stay near 1.
    FloatVector a = FloatVector.broadcast(FLOATS, 0.5f + 0 * sink);
    FloatVector b = FloatVector.broadcast(FLOATS, 0.5f + 0 * sink);
    FloatVector c0 = b;
    FloatVector c1 = b;
    FloatVector c2 = b;
    FloatVector c3 = b;
    FloatVector c4 = b;
    FloatVector c5 = b;
    FloatVector c6 = b;
    FloatVector c7 = b;
    FloatVector c8 = b;
    FloatVector c9 = b;
    FloatVector c10 = b;
    FloatVector c11 = b;
    for (int i = 0; i < steps; i++) {
      c0 = c0.fma(a, b);
      c1 = c1.fma(a, b);
      c2 = c2.fma(a, b);
      c3 = c3.fma(a, b);
      c4 = c4.fma(a, b);
      c5 = c5.fma(a, b);
      c6 = c6.fma(a, b);
      c7 = c7.fma(a, b);
      c8 = c8.fma(a, b);
      c9 = c9.fma(a, b);
      c10 = c10.fma(a, b);
      c11 = c11.fma(a, b);
    }
    FloatVector sum = c0.add(c1).add(c2).add(c3).add(c4).add(c5);
    sum = sum.add(c6).add(c7).add(c8).add(c9).add(c10).add(c11);
    sink = sum.lane(0);
  }
}
