package org.chunkllama.cpu;

import static org.chunkllama.cpu.NativeMemory.ALL;
import static org.chunkllama.cpu.NativeMemory.FLOAT;
import static org.chunkllama.cpu.NativeMemory.MASK;
import static org.chunkllama.cpu.NativeMemory.ORDER;
import static org.chunkllama.cpu.VectorShape.FLOATS;

import jdk.incubator.vector.FloatVector;

/** As {@link Tile6}, with 1 row. */
final class Tile1 {
  private static final long BYTES = 4L * VectorShape.LANES;

  private Tile1() {}

  /** A row times 4 vectors. */
  static void x4(int n, long a, long b, int bRow, long bColumn, long c) {
    long a0 = a & MASK;
    long b0 = b & MASK;
    long b1 = (b + bColumn) & MASK;
    long b2 = (b + 2 * bColumn) & MASK;
    long b3 = (b + 3 * bColumn) & MASK;
    FloatVector c00 = FloatVector.zero(FLOATS);
    FloatVector c01 = c00;
    FloatVector c02 = c00;
    FloatVector c03 = c00;
    for (int k = 0; k < n; k++) {
      long ka = (4L * k) & MASK;
      long kb = ((long) bRow * k) & MASK;
      FloatVector v0 = FloatVector.fromMemorySegment(FLOATS, ALL, b0 + kb, ORDER);
      FloatVector v1 = FloatVector.fromMemorySegment(FLOATS, ALL, b1 + kb, ORDER);
      FloatVector v2 = FloatVector.fromMemorySegment(FLOATS, ALL, b2 + kb, ORDER);
      FloatVector v3 = FloatVector.fromMemorySegment(FLOATS, ALL, b3 + kb, ORDER);
      FloatVector x = FloatVector.broadcast(FLOATS, ALL.get(FLOAT, a0 + ka));
      c00 = x.fma(v0, c00);
      c01 = x.fma(v1, c01);
      c02 = x.fma(v2, c02);
      c03 = x.fma(v3, c03);
    }
    long r0 = c & MASK;
    c00.intoMemorySegment(ALL, r0, ORDER);
    c01.intoMemorySegment(ALL, r0 + BYTES, ORDER);
    c02.intoMemorySegment(ALL, r0 + 2 * BYTES, ORDER);
    c03.intoMemorySegment(ALL, r0 + 3 * BYTES, ORDER);
  }

  /** A row times 2 vectors. */
  static void x2(int n, long a, long b, int bRow, long bColumn, long c) {
    long a0 = a & MASK;
    long b0 = b & MASK;
    long b1 = (b + bColumn) & MASK;
    FloatVector c00 = FloatVector.zero(FLOATS);
    FloatVector c01 = c00;
    for (int k = 0; k < n; k++) {
      long ka = (4L * k) & MASK;
      long kb = ((long) bRow * k) & MASK;
      FloatVector v0 = FloatVector.fromMemorySegment(FLOATS, ALL, b0 + kb, ORDER);
      FloatVector v1 = FloatVector.fromMemorySegment(FLOATS, ALL, b1 + kb, ORDER);
      FloatVector x = FloatVector.broadcast(FLOATS, ALL.get(FLOAT, a0 + ka));
      c00 = x.fma(v0, c00);
      c01 = x.fma(v1, c01);
    }
    long r0 = c & MASK;
    c00.intoMemorySegment(ALL, r0, ORDER);
    c01.intoMemorySegment(ALL, r0 + BYTES, ORDER);
  }

  /** A row times 1 vector. */
  static void x1(int n, long a, long b, int bRow, long bColumn, long c) {
    long a0 = a & MASK;
    long b0 = b & MASK;
    FloatVector c00 = FloatVector.zero(FLOATS);
    for (int k = 0; k < n; k++) {
      long ka = (4L * k) & MASK;
      long kb = ((long) bRow * k) & MASK;
      FloatVector v0 = FloatVector.fromMemorySegment(FLOATS, ALL, b0 + kb, ORDER);
      FloatVector x = FloatVector.broadcast(FLOATS, ALL.get(FLOAT, a0 + ka));
      c00 = x.fma(v0, c00);
    }
    long r0 = c & MASK;
    c00.intoMemorySegment(ALL, r0, ORDER);
  }
}
