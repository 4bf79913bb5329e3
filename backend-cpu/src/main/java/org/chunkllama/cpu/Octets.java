package org.chunkllama.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** Kernels for strips of 8-bit weights ({@link QuantStrips}): a lane is an output. */
final class Octets {
  private static final int LANES = VectorShape.LANES;
  private static final int VECTOR_BYTES = 4 * LANES;
  private static final int PER_WORD = 4;

  private Octets() {}

  /**
   * {@code sums = strip . x}.
   *
   * @param strip address of the strip's first group
   * @param group inputs of a group
   * @param x {@code [groups * group]}
   * @param sums gets LANES values at {@code to}
   */
  static void multiply(long strip, int groups, int group, float[] x, float[] sums, int to) {
    FloatVector a = FloatVector.zero(VectorShape.FLOATS);
    FloatVector b = a;
    FloatVector c = a;
    FloatVector d = a;
    long at = strip & NativeMemory.MASK;
    int words = group / PER_WORD;
    for (int g = 0; g < groups; g++) {
      FloatVector scale = NativeMemory.load(at);
      FloatVector offset = NativeMemory.load(at + VECTOR_BYTES);
      for (int j = 0; j < words; j++) {
        IntVector word = NativeMemory.ints(at + (2L + j) * VECTOR_BYTES);
        int k = g * group + PER_WORD * j;
        a = value(left(word, 15)).fma(scale, offset).fma(broadcast(x[k]), a);
        b = value(left(word, 7)).fma(scale, offset).fma(broadcast(x[k + 1]), b);
        c = value(right(word, 1)).fma(scale, offset).fma(broadcast(x[k + 2]), c);
        d = value(right(word, 9)).fma(scale, offset).fma(broadcast(x[k + 3]), d);
      }
      at += (2L + words) * VECTOR_BYTES;
    }
    a.add(b).add(c.add(d)).intoArray(sums, to);
  }

  /**
   * Decodes groups of a strip.
   *
   * @param out address of {@code [groups * group]} vectors, {@code step} bytes apart
   */
  static void decode(long strip, int groups, int group, long out, long step) {
    long at = strip & NativeMemory.MASK;
    long to = out & NativeMemory.MASK;
    int words = group / PER_WORD;
    for (int g = 0; g < groups; g++) {
      FloatVector scale = NativeMemory.load(at);
      FloatVector offset = NativeMemory.load(at + VECTOR_BYTES);
      for (int j = 0; j < words; j++) {
        IntVector word = NativeMemory.ints(at + (2L + j) * VECTOR_BYTES);
        NativeMemory.store(value(left(word, 15)).fma(scale, offset), to);
        NativeMemory.store(value(left(word, 7)).fma(scale, offset), to + step);
        NativeMemory.store(value(right(word, 1)).fma(scale, offset), to + 2 * step);
        NativeMemory.store(value(right(word, 9)).fma(scale, offset), to + 3 * step);
        to += PER_WORD * step;
      }
      at += (2L + words) * VECTOR_BYTES;
    }
  }

  // The integer's eight bits become the upper ones of the mantissa of a float in [1, 2).
  private static FloatVector value(IntVector shifted) {
    return shifted.and(0x7f8000).or(0x3f800000).reinterpretAsFloats();
  }

  private static IntVector left(IntVector word, int shift) {
    return word.lanewise(VectorOperators.LSHL, shift);
  }

  private static IntVector right(IntVector word, int shift) {
    return word.lanewise(VectorOperators.LSHR, shift);
  }

  private static FloatVector broadcast(float value) {
    return FloatVector.broadcast(VectorShape.FLOATS, value);
  }
}
