package org.chunkllama.spi;

/**
 * How numbers lie in memory. Quantised types store blocks of values that share scales (GGML's
 * layouts). F8 (e4m3) and I8 are for keys and values alone: each head of a token has a scale beside
 * its values, see {@link EightBit}.
 */
public enum DType {
  F32(1, 4),
  F16(1, 2),
  BF16(1, 2),
  F8(1, 1),
  I8(1, 1),
  Q8_0(32, 34),
  Q4_0(32, 18),
  Q4_1(32, 20),
  Q4_K(256, 144),
  Q5_K(256, 176),
  Q6_K(256, 210);

  private final int blockValues;
  private final int blockBytes;

  DType(int blockValues, int blockBytes) {
    this.blockValues = blockValues;
    this.blockBytes = blockBytes;
  }

  /** Values in one block; 1 for plain types. */
  public int blockValues() {
    return blockValues;
  }

  /** True for the types of keys and values with a scale per head and token: F8 and I8. */
  public boolean isEightBit() {
    return this == F8 || this == I8;
  }

  /** Bytes of one block. */
  public int blockBytes() {
    return blockBytes;
  }

  /** True for types that store blocks with scales. */
  public boolean isQuantised() {
    return blockValues > 1;
  }

  /**
   * Bytes of {@code values} consecutive values.
   *
   * @throws IllegalArgumentException if {@code values} is not a multiple of the block
   */
  public long bytes(long values) {
    if (values % blockValues != 0) {
      throw new IllegalArgumentException(
          values + " values do not fill blocks of " + blockValues + " (" + this + ")");
    }
    return Math.multiplyExact(values / blockValues, (long) blockBytes);
  }
}
