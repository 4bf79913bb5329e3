package org.chunkllama.cpu;

import jdk.incubator.vector.FloatVector;

/** Gated activation of the feed-forward layer: silu(gate) * up. */
final class SiluGate extends RowSplit {
  // An exp is some ten operations per value.
  private static final int WORK_PER_VALUE = 4;

  private long in;
  private long inRowBytes;
  private long out;
  private long outRowBytes;
  private int columns;

  SiluGate(Workers workers) {
    super(workers);
  }

  /** As {@link org.chunkllama.spi.Backend#siluGate}. */
  void apply(CpuTensor gateUp, int rows, CpuTensor out) {
    this.in = gateUp.address();
    this.inRowBytes = gateUp.rowBytes();
    this.out = out.address();
    this.outRowBytes = out.rowBytes();
    this.columns = out.columns();
    split(rows, WORK_PER_VALUE * columns);
  }

  @Override
  void rows(int first, int end) {
    for (int row = first; row < end; row++) {
      row(in + row * inRowBytes, columns, out + row * outRowBytes);
    }
  }

  private static void row(long gate, int columns, long out) {
    long up = gate + 4L * columns;
    int bound = VectorShape.FLOATS.loopBound(columns);
    int i = 0;
    for (; i < bound; i += VectorShape.LANES) {
      FloatVector g = NativeMemory.load(gate + 4L * i);
      FloatVector u = NativeMemory.load(up + 4L * i);
      FloatVector sigmoid = VectorMath.exp(g.neg()).add(1f);
      NativeMemory.store(g.div(sigmoid).mul(u), out + 4L * i);
    }
    for (; i < columns; i++) {
      float g = NativeMemory.get(gate + 4L * i);
      float silu = (float) (g / (1 + Math.exp(-g)));
      NativeMemory.set(out + 4L * i, silu * NativeMemory.get(up + 4L * i));
    }
  }
}
