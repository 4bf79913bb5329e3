package org.chunkllama.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import org.chunkllama.spi.DType;

/**
 * One row of stored weights to fp32, vectors at a time; equal to {@link
 * org.chunkllama.spi.Dequantizer} up to the rounding of a fused multiply-add.
 *
 * <p>Stateless. A decoder per type, so that each call site of a hot loop sees one.
 */
interface RowDecoder {
  /**
   * Decodes a row.
   *
   * @param row address of its first block
   * @param columns a multiple of the type's block
   * @param out gets {@code columns} floats from {@code start} on
   * @param start index in {@code out}
   */
  void decode(long row, int columns, float[] out, int start);

  static RowDecoder of(DType type) {
    return switch (type) {
      case F32 -> RowDecoder::f32;
      case F16 -> RowDecoder::f16;
      case BF16 -> RowDecoder::bf16;
      case Q8_0 -> RowDecoder::q8_0;
      case Q4_0 -> RowDecoder::q4_0;
      case Q4_1 -> RowDecoder::q4_1;
      case Q4_K -> SuperBlocks::q4_k;
      case Q5_K -> SuperBlocks::q5_k;
      case Q6_K -> SuperBlocks::q6_k;
      case F8, I8 -> throw new IllegalArgumentException(type + " is not a type of weights");
    };
  }

  private static void f32(long row, int columns, float[] out, int start) {
    int i = 0;
    for (; i < VectorShape.FLOATS.loopBound(columns); i += VectorShape.LANES) {
      NativeMemory.load(row + 4L * i).intoArray(out, start + i);
    }
    for (; i < columns; i++) {
      out[start + i] = NativeMemory.get(row + 4L * i);
    }
  }

  private static void f16(long row, int columns, float[] out, int start) {
    int i = 0;
    for (; i < VectorShape.FLOATS.loopBound(columns); i += VectorShape.LANES) {
      Widen.halves(row + 2L * i).intoArray(out, start + i);
    }
    for (; i < columns; i++) {
      out[start + i] = NativeMemory.half(row + 2L * i);
    }
  }

  private static void bf16(long row, int columns, float[] out, int start) {
    int i = 0;
    for (; i < VectorShape.FLOATS.loopBound(columns); i += VectorShape.LANES) {
      Widen.bfloats(row + 2L * i).intoArray(out, start + i);
    }
    for (; i < columns; i++) {
      out[start + i] = NativeMemory.bfloat(row + 2L * i);
    }
  }

  private static void q8_0(long row, int columns, float[] out, int start) {
    long at = row;
    for (int i = 0; i < columns; i += 32, at += 34) {
      float d = NativeMemory.half(at);
      for (int j = 0; j < 32; j += VectorShape.LANES) {
        Widen.floats(Widen.signedBytes(at + 2 + j)).mul(d).intoArray(out, start + i + j);
      }
    }
  }

  private static void q4_0(long row, int columns, float[] out, int start) {
    long at = row;
    for (int i = 0; i < columns; i += 32, at += 18) {
      float d = NativeMemory.half(at);
      nibbles(at + 2, d, -8 * d, out, start + i);
    }
  }

  private static void q4_1(long row, int columns, float[] out, int start) {
    long at = row;
    for (int i = 0; i < columns; i += 32, at += 20) {
      nibbles(at + 4, NativeMemory.half(at), NativeMemory.half(at + 2), out, start + i);
    }
  }

  /** 16 bytes: low nibbles are values 0..15, high ones 16..31. */
  private static void nibbles(long at, float scale, float offset, float[] out, int to) {
    FloatVector s = FloatVector.broadcast(VectorShape.FLOATS, scale);
    FloatVector o = FloatVector.broadcast(VectorShape.FLOATS, offset);
    for (int j = 0; j < 16; j += VectorShape.LANES) {
      IntVector q = Widen.unsignedBytes(at + j);
      Widen.floats(q.and(15)).fma(s, o).intoArray(out, to + j);
      Widen.floats(q.lanewise(VectorOperators.LSHR, 4)).fma(s, o).intoArray(out, to + 16 + j);
    }
  }
}
