package org.chunkllama.cuda;

import org.chunkllama.cuda.driver.MatrixProduct;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.WeightPolicy;

/**
 * Which quantised types weights stay in, and what they take in the tiles of {@code
 * quantised_tiles.cuh}.
 */
final class KeptFormats {
  static final int TILE_OUTPUTS = 16;

  private final WeightPolicy policy;
  private final boolean possible;

  KeptFormats(CudaDevice device, WeightPolicy policy) {
    this.policy = policy;
    possible = device.products != MatrixProduct.Type.F32;
  }

  /** Whether weights of this type stay in it. */
  boolean keep(DType type) {
    return possible && type.isQuantised() && policy.keeps(sequences(type));
  }

  /** The type of random weights, kept or not. */
  DType random() {
    return policy.random();
  }

  /** Most sequences for which kept weights decode faster than wide ones (docs/kernels.md). */
  private static int sequences(DType type) {
    return switch (type) {
      case Q4_0, Q4_1, Q4_K -> 32;
      default -> 16;
    };
  }

  /** Bytes of {@link #TILE_OUTPUTS} rows of one block. */
  static int tileBytes(DType type) {
    return switch (type) {
      case Q8_0 -> 544;
      case Q4_0 -> 288;
      case Q4_1 -> 320;
      case Q4_K -> 2368; // scales of 6 bits take 8
      case Q5_K -> 2880;
      case Q6_K -> 3360;
      default -> throw new IllegalArgumentException(type + " has no tiles");
    };
  }

  /** Bytes of a weight in tiles, the last of which may have rows to spare. */
  static long bytes(DType type, int outputs, int inputs) {
    return (long) Math.ceilDiv(outputs, TILE_OUTPUTS) * blocks(type, inputs) * tileBytes(type);
  }

  /** Bytes of so many values of whole tiles, rounded up. */
  static long bytes(DType type, long values) {
    return Math.ceilDiv(values, (long) TILE_OUTPUTS * type.blockValues()) * tileBytes(type);
  }

  /** Blocks of a row. */
  static int blocks(DType type, int inputs) {
    return inputs / type.blockValues();
  }
}
