package org.chunkllama.contract;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.SplittableRandom;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.Dequantizer;
import org.chunkllama.spi.WeightTensor;

/** Random weights of every type, in native memory as a mapped file would hold them. */
final class Weights {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private Weights() {}

  /** Aligned to 32 bytes as in GGUF, or only to 2, as a safetensors file may have it. */
  static WeightTensor random(
      SplittableRandom random, DType type, int rows, int columns, boolean aligned) {
    long bytes = rows * type.bytes(columns);
    MemorySegment data = Arena.ofAuto().allocate(bytes + 32, 32).asSlice(aligned ? 0 : 2, bytes);
    if (type.isQuantised()) {
      fillBlocks(random, type, data);
    } else {
      for (long i = 0; i < (long) rows * columns; i++) {
        put(data, type, i, (float) random.nextGaussian());
      }
    }
    return new WeightTensor("random." + type, type, rows, columns, data.asReadOnly());
  }

  private static void put(MemorySegment data, DType type, long i, float value) {
    switch (type) {
      case F32 -> data.set(INT, 4 * i, Float.floatToRawIntBits(value));
      case F16 -> data.set(SHORT, 2 * i, Float.floatToFloat16(value));
      case BF16 -> {
        int bits = Float.floatToRawIntBits(Numbers.rounded(value, DType.BF16));
        data.set(SHORT, 2 * i, (short) (bits >>> 16));
      }
      default -> throw new IllegalArgumentException(type.toString());
    }
  }

  /** Any bytes are valid blocks, as long as the halves among them are sensible numbers. */
  private static void fillBlocks(SplittableRandom random, DType type, MemorySegment data) {
    for (long i = 0; i < data.byteSize(); i++) {
      data.set(ValueLayout.JAVA_BYTE, i, (byte) random.nextInt());
    }
    for (long block = 0; block < data.byteSize(); block += type.blockBytes()) {
      switch (type) {
        case Q8_0 -> half(random, data, block, 0.01f);
        case Q4_0 -> half(random, data, block, 0.2f);
        case Q4_1 -> halves(random, data, block, 0.2f, 1.5f);
        case Q4_K -> halves(random, data, block, 0.004f, 0.03f);
        case Q5_K -> halves(random, data, block, 0.002f, 0.03f);
        case Q6_K -> half(random, data, block + 208, 0.0007f);
        default -> throw new IllegalArgumentException(type.toString());
      }
    }
  }

  private static void halves(
      SplittableRandom random, MemorySegment data, long at, float first, float second) {
    half(random, data, at, first);
    half(random, data, at + 2, second);
  }

  private static void half(SplittableRandom random, MemorySegment data, long at, float size) {
    float value = size * (float) random.nextDouble(0.5, 1) * (random.nextBoolean() ? 1 : -1);
    data.set(SHORT, at, Float.floatToFloat16(value));
  }

  /** A vector as F32. */
  static float[] row(WeightTensor weight, int row) {
    float[] values = new float[weight.columns()];
    Dequantizer.row(weight, row, values, 0);
    return values;
  }
}
