package org.chunkllama.cpu;

import static org.chunkllama.cpu.NativeMemory.ALL;
import static org.chunkllama.cpu.NativeMemory.MASK;
import static org.chunkllama.cpu.NativeMemory.ORDER;
import static org.chunkllama.cpu.VectorShape.FLOATS;
import static org.chunkllama.cpu.VectorShape.LANES;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Turns a row of scores into weights, chunk after chunk. Scores are in units of log 2, so weights
 * are powers of two.
 *
 * <p>The reference m of a row need not be its maximum, only near it: it is raised, and the row's
 * state rescaled, when a score exceeds it by more than {@value #SLACK}. That is rare, and saves a
 * reduction across lanes and a pass over the outputs per chunk. The sum of weights stays a vector
 * of partial sums until the end.
 */
final class OnlineSoftmax {
  /** Reference of a row that has seen nothing: below any score, yet finite. */
  static final float NOTHING = -1e30f;

  /** Weights reach 2^8 at most: far from overflow, and no precision is lost in fp32. */
  private static final float SLACK = 8;

  private static final int BYTES = 4 * LANES;
  private static final FloatVector INDEX = FloatVector.zero(FLOATS).addIndex(1);

  private OnlineSoftmax() {}

  /** Sets scores of slots [visible, vectors * lanes) to -infinity: weight 0, whatever was there. */
  static void mask(long scores, int visible, int vectors) {
    for (int i = visible / LANES; i < vectors; i++) {
      long at = (scores + (long) i * BYTES) & MASK;
      FloatVector x = FloatVector.fromMemorySegment(FLOATS, ALL, at, ORDER);
      x.blend(Float.NEGATIVE_INFINITY, INDEX.compare(VectorOperators.GE, visible - i * LANES))
          .intoMemorySegment(ALL, at, ORDER);
    }
  }

  /** A reference for {@code vectors} vectors of scores, given the row's so far: that, or higher. */
  static float reference(long scores, int vectors, float reference) {
    long base = scores & MASK;
    FloatVector max = FloatVector.fromMemorySegment(FLOATS, ALL, base, ORDER);
    for (int i = 1; i < vectors; i++) {
      long at = ((long) i * BYTES) & MASK;
      FloatVector x = FloatVector.fromMemorySegment(FLOATS, ALL, base + at, ORDER);
      max = max.blend(x, x.compare(VectorOperators.GT, max)); // a third of the cost of max()
    }
    return max.compare(VectorOperators.GT, reference + SLACK).anyTrue()
        ? max.reduceLanes(VectorOperators.MAX)
        : reference;
  }

  /** {@code scores = 2^(scores - reference)}, and adds them to the vector at {@code sums}. */
  static void weigh(long scores, int vectors, float reference, long sums) {
    long base = scores & MASK;
    long sumAt = sums & MASK;
    FloatVector m = FloatVector.broadcast(FLOATS, reference);
    FloatVector sum = FloatVector.fromMemorySegment(FLOATS, ALL, sumAt, ORDER);
    for (int i = 0; i < vectors; i++) {
      long at = ((long) i * BYTES) & MASK;
      FloatVector x = FloatVector.fromMemorySegment(FLOATS, ALL, base + at, ORDER).sub(m);
      FloatVector weight = Exp2.exp2(x);
      weight.intoMemorySegment(ALL, base + at, ORDER);
      sum = sum.add(weight);
    }
    sum.intoMemorySegment(ALL, sumAt, ORDER);
  }
}
