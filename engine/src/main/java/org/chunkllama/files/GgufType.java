package org.chunkllama.files;

import java.util.Map;
import java.util.Optional;
import org.chunkllama.spi.DType;

/** GGML's numbers of tensor types. */
final class GgufType {
  private static final Map<Long, DType> READABLE =
      Map.of(
          0L, DType.F32,
          1L, DType.F16,
          2L, DType.Q4_0,
          3L, DType.Q4_1,
          8L, DType.Q8_0,
          12L, DType.Q4_K,
          13L, DType.Q5_K,
          14L, DType.Q6_K,
          30L, DType.BF16);

  private static final Map<Long, String> OTHERS =
      Map.ofEntries(
          Map.entry(6L, "Q5_0"),
          Map.entry(7L, "Q5_1"),
          Map.entry(9L, "Q8_1"),
          Map.entry(10L, "Q2_K"),
          Map.entry(11L, "Q3_K"),
          Map.entry(15L, "Q8_K"),
          Map.entry(16L, "IQ2_XXS"),
          Map.entry(17L, "IQ2_XS"),
          Map.entry(18L, "IQ3_XXS"),
          Map.entry(19L, "IQ1_S"),
          Map.entry(20L, "IQ4_NL"),
          Map.entry(21L, "IQ3_S"),
          Map.entry(22L, "IQ2_S"),
          Map.entry(23L, "IQ4_XS"),
          Map.entry(24L, "I8"),
          Map.entry(25L, "I16"),
          Map.entry(26L, "I32"),
          Map.entry(27L, "I64"),
          Map.entry(28L, "F64"),
          Map.entry(29L, "IQ1_M"),
          Map.entry(34L, "TQ1_0"),
          Map.entry(35L, "TQ2_0"),
          Map.entry(39L, "MXFP4"),
          Map.entry(40L, "NVFP4"));

  private GgufType() {}

  /** The type called {@code number}, if weights of it can be read. */
  static Optional<DType> of(long number) {
    return Optional.ofNullable(READABLE.get(number));
  }

  /** What people call type {@code number}. */
  static String name(long number) {
    DType type = READABLE.get(number);
    return type != null ? type.name() : OTHERS.getOrDefault(number, "number " + number);
  }
}
