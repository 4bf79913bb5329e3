package org.chunkllama.cpu;

import static org.chunkllama.cpu.NativeMemory.ALL;
import static org.chunkllama.cpu.NativeMemory.FLOAT;
import static org.chunkllama.cpu.NativeMemory.MASK;
import static org.chunkllama.cpu.NativeMemory.ORDER;
import static org.chunkllama.cpu.VectorShape.FLOATS;

import jdk.incubator.vector.FloatVector;

/** As {@link Tile6}, with up to 4 rows. */
final class Tile4 {
  private static final long BYTES = 4L * VectorShape.LANES;

  private Tile4() {}

  /** 3 or 4 rows times 4 vectors. */
  static void x4(
      int rows, int n, long a, long aRow, long b, int bRow, long bColumn, long c, long cRow) {
    long a0 = a & MASK;
    long a1 = (a + aRow) & MASK;
    long a2 = (a + 2 * aRow) & MASK;
    long a3 = (a + (rows - 1) * aRow) & MASK;
    long b0 = b & MASK;
    long b1 = (b + bColumn) & MASK;
    long b2 = (b + 2 * bColumn) & MASK;
    long b3 = (b + 3 * bColumn) & MASK;
    FloatVector c00 = FloatVector.zero(FLOATS);
    FloatVector c01 = c00;
    FloatVector c02 = c00;
    FloatVector c03 = c00;
    FloatVector c10 = c00;
    FloatVector c11 = c00;
    FloatVector c12 = c00;
    FloatVector c13 = c00;
    FloatVector c20 = c00;
    FloatVector c21 = c00;
    FloatVector c22 = c00;
    FloatVector c23 = c00;
    FloatVector c30 = c00;
    FloatVector c31 = c00;
    FloatVector c32 = c00;
    FloatVector c33 = c00;
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
      x = FloatVector.broadcast(FLOATS, ALL.get(FLOAT, a1 + ka));
      c10 = x.fma(v0, c10);
      c11 = x.fma(v1, c11);
      c12 = x.fma(v2, c12);
      c13 = x.fma(v3, c13);
      x = FloatVector.broadcast(FLOATS, ALL.get(FLOAT, a2 + ka));
      c20 = x.fma(v0, c20);
      c21 = x.fma(v1, c21);
      c22 = x.fma(v2, c22);
      c23 = x.fma(v3, c23);
      x = FloatVector.broadcast(FLOATS, ALL.get(FLOAT, a3 + ka));
      c30 = x.fma(v0, c30);
      c31 = x.fma(v1, c31);
      c32 = x.fma(v2, c32);
      c33 = x.fma(v3, c33);
    }
    long r0 = c & MASK;
    long r1 = (c + cRow) & MASK;
    long r2 = (c + 2 * cRow) & MASK;
    long r3 = (c + (rows - 1) * cRow) & MASK;
    c00.intoMemorySegment(ALL, r0, ORDER);
    c01.intoMemorySegment(ALL, r0 + BYTES, ORDER);
    c02.intoMemorySegment(ALL, r0 + 2 * BYTES, ORDER);
    c03.intoMemorySegment(ALL, r0 + 3 * BYTES, ORDER);
    c10.intoMemorySegment(ALL, r1, ORDER);
    c11.intoMemorySegment(ALL, r1 + BYTES, ORDER);
    c12.intoMemorySegment(ALL, r1 + 2 * BYTES, ORDER);
    c13.intoMemorySegment(ALL, r1 + 3 * BYTES, ORDER);
    c20.intoMemorySegment(ALL, r2, ORDER);
    c21.intoMemorySegment(ALL, r2 + BYTES, ORDER);
    c22.intoMemorySegment(ALL, r2 + 2 * BYTES, ORDER);
    c23.intoMemorySegment(ALL, r2 + 3 * BYTES, ORDER);
    c30.intoMemorySegment(ALL, r3, ORDER);
    c31.intoMemorySegment(ALL, r3 + BYTES, ORDER);
    c32.intoMemorySegment(ALL, r3 + 2 * BYTES, ORDER);
    c33.intoMemorySegment(ALL, r3 + 3 * BYTES, ORDER);
  }

  /** 3 or 4 rows times 2 vectors. */
  static void x2(
      int rows, int n, long a, long aRow, long b, int bRow, long bColumn, long c, long cRow) {
    long a0 = a & MASK;
    long a1 = (a + aRow) & MASK;
    long a2 = (a + 2 * aRow) & MASK;
    long a3 = (a + (rows - 1) * aRow) & MASK;
    long b0 = b & MASK;
    long b1 = (b + bColumn) & MASK;
    FloatVector c00 = FloatVector.zero(FLOATS);
    FloatVector c01 = c00;
    FloatVector c10 = c00;
    FloatVector c11 = c00;
    FloatVector c20 = c00;
    FloatVector c21 = c00;
    FloatVector c30 = c00;
    FloatVector c31 = c00;
    for (int k = 0; k < n; k++) {
      long ka = (4L * k) & MASK;
      long kb = ((long) bRow * k) & MASK;
      FloatVector v0 = FloatVector.fromMemorySegment(FLOATS, ALL, b0 + kb, ORDER);
      FloatVector v1 = FloatVector.fromMemorySegment(FLOATS, ALL, b1 + kb, ORDER);
      FloatVector x = FloatVector.broadcast(FLOATS, ALL.get(FLOAT, a0 + ka));
      c00 = x.fma(v0, c00);
      c01 = x.fma(v1, c01);
      x = FloatVector.broadcast(FLOATS, ALL.get(FLOAT, a1 + ka));
      c10 = x.fma(v0, c10);
      c11 = x.fma(v1, c11);
      x = FloatVector.broadcast(FLOATS, ALL.get(FLOAT, a2 + ka));
      c20 = x.fma(v0, c20);
      c21 = x.fma(v1, c21);
      x = FloatVector.broadcast(FLOATS, ALL.get(FLOAT, a3 + ka));
      c30 = x.fma(v0, c30);
      c31 = x.fma(v1, c31);
    }
    long r0 = c & MASK;
    long r1 = (c + cRow) & MASK;
    long r2 = (c + 2 * cRow) & MASK;
    long r3 = (c + (rows - 1) * cRow) & MASK;
    c00.intoMemorySegment(ALL, r0, ORDER);
    c01.intoMemorySegment(ALL, r0 + BYTES, ORDER);
    c10.intoMemorySegment(ALL, r1, ORDER);
    c11.intoMemorySegment(ALL, r1 + BYTES, ORDER);
    c20.intoMemorySegment(ALL, r2, ORDER);
    c21.intoMemorySegment(ALL, r2 + BYTES, ORDER);
    c30.intoMemorySegment(ALL, r3, ORDER);
    c31.intoMemorySegment(ALL, r3 + BYTES, ORDER);
  }

  /** 3 or 4 rows times 1 vector. */
  static void x1(
      int rows, int n, long a, long aRow, long b, int bRow, long bColumn, long c, long cRow) {
    long a0 = a & MASK;
    long a1 = (a + aRow) & MASK;
    long a2 = (a + 2 * aRow) & MASK;
    long a3 = (a + (rows - 1) * aRow) & MASK;
    long b0 = b & MASK;
    FloatVector c00 = FloatVector.zero(FLOATS);
    FloatVector c10 = c00;
    FloatVector c20 = c00;
    FloatVector c30 = c00;
    for (int k = 0; k < n; k++) {
      long ka = (4L * k) & MASK;
      long kb = ((long) bRow * k) & MASK;
      FloatVector v0 = FloatVector.fromMemorySegment(FLOATS, ALL, b0 + kb, ORDER);
      FloatVector x = FloatVector.broadcast(FLOATS, ALL.get(FLOAT, a0 + ka));
      c00 = x.fma(v0, c00);
      x = FloatVector.broadcast(FLOATS, ALL.get(FLOAT, a1 + ka));
      c10 = x.fma(v0, c10);
      x = FloatVector.broadcast(FLOATS, ALL.get(FLOAT, a2 + ka));
      c20 = x.fma(v0, c20);
      x = FloatVector.broadcast(FLOATS, ALL.get(FLOAT, a3 + ka));
      c30 = x.fma(v0, c30);
    }
    long r0 = c & MASK;
    long r1 = (c + cRow) & MASK;
    long r2 = (c + 2 * cRow) & MASK;
    long r3 = (c + (rows - 1) * cRow) & MASK;
    c00.intoMemorySegment(ALL, r0, ORDER);
    c10.intoMemorySegment(ALL, r1, ORDER);
    c20.intoMemorySegment(ALL, r2, ORDER);
    c30.intoMemorySegment(ALL, r3, ORDER);
  }
}
