package org.chunkllama.cpu;

import org.chunkllama.spi.DType;
import org.jspecify.annotations.Nullable;

/**
 * How quantised weights are packed: unsigned integers u of {@code bits} bits in groups along the
 * inputs, each group with a scale s and an offset o, so that a weight is {@code s * (1 + u /
 * 2^bits) + o}. The integers become the upper mantissa bits of a float in [1, 2), which costs a
 * shift and a mask instead of a conversion.
 *
 * @param bits 4 or 8
 * @param group inputs that share scale and offset
 */
record QuantForm(int bits, int group) {
  /** The form that holds a type's values; null for types that are not quantised. */
  static @Nullable QuantForm of(DType type) {
    return switch (type) {
      case Q4_0, Q4_1, Q4_K -> new QuantForm(4, 32);
      case Q8_0, Q5_K -> new QuantForm(8, 32);
      case Q6_K -> new QuantForm(8, 16);
      case F32, F16, BF16, F8, I8 -> null;
    };
  }

  /** Integers in a 32-bit word. */
  int perWord() {
    return Integer.SIZE / bits;
  }

  /** Words, scale and offset that one output needs for one group. */
  int wordsPerGroup() {
    return group / perWord() + 2;
  }
}
