package org.chunkllama.spi;

/**
 * What becomes of quantised weights on a device that has products for them beside those of 16-bit
 * ones: kept they take less memory and are faster for few rows, slower for many.
 *
 * @param kind keep them, make them wide, or what was measured to be faster
 * @param sequences that decode at once at most: what AUTO goes by
 * @param random type of random weights where such are kept
 */
public record WeightPolicy(Kind kind, int sequences, DType random) {
  /** Whether to keep them. */
  public enum Kind {
    AUTO,
    QUANTISED,
    WIDE
  }

  /** All weights become wide. */
  public static final WeightPolicy WIDE = new WeightPolicy(Kind.WIDE, 1, DType.Q8_0);

  /** Quantised weights stay so wherever the device can. */
  public static final WeightPolicy QUANTISED = new WeightPolicy(Kind.QUANTISED, 1, DType.Q8_0);

  public WeightPolicy {
    if (!random.isQuantised()) {
      throw new IllegalArgumentException(random + " is no quantised type");
    }
  }

  /** Whether weights are kept that pay for up to {@code limit} sequences. */
  public boolean keeps(int limit) {
    return switch (kind) {
      case AUTO -> sequences <= limit;
      case QUANTISED -> true;
      case WIDE -> false;
    };
  }
}
