package org.chunkllama.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** Kernels for strips of 4-bit weights ({@link QuantStrips}): a lane is an output. */
final class Nibbles {
  private static final int LANES = VectorShape.LANES;
  private static final int VECTOR_BYTES = 4 * LANES;
  private static final int PER_WORD = 8;

  private Nibbles() {}

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
        // Two halves: a body of eight is more than the compiler inlines.
        for (int half = 0; half < 2; half++, k += 4) {
          a = value(left(word, 19)).fma(scale, offset).fma(broadcast(x[k]), a);
          b = value(left(word, 15)).fma(scale, offset).fma(broadcast(x[k + 1]), b);
          c = value(left(word, 11)).fma(scale, offset).fma(broadcast(x[k + 2]), c);
          d = value(left(word, 7)).fma(scale, offset).fma(broadcast(x[k + 3]), d);
          word = right(word, 16);
        }
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
        for (int half = 0; half < 2; half++, to += 4 * step) {
          NativeMemory.store(value(left(word, 19)).fma(scale, offset), to);
          NativeMemory.store(value(left(word, 15)).fma(scale, offset), to + step);
          NativeMemory.store(value(left(word, 11)).fma(scale, offset), to + 2 * step);
          NativeMemory.store(value(left(word, 7)).fma(scale, offset), to + 3 * step);
          word = right(word, 16);
        }
      }
      at += (2L + words) * VECTOR_BYTES;
    }
  }

  // The integer's four bits become the upper ones of the mantissa of a float in [1, 2).
  private static FloatVector value(IntVector shifted) {
    return shifted.and(0x780000).or(0x3f800000).reinterpretAsFloats();
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
