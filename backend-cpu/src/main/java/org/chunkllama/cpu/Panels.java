package org.chunkllama.cpu;

/**
 * Weights as fp32 panels: {@code [panels][inputs][2 vectors of outputs]}. A panel is read from
 * front to end, and a lane is an output, so no sum runs across lanes. Outputs behind the last are
 * zero.
 */
final class Panels implements PackedWeights {
  /** Outputs in a panel. */
  static final int WIDTH = 2 * VectorShape.LANES;

  private final LargeMemory memory;
  private final long bytes;
  private final long panelBytes;
  private final int count;

  private Panels(int outputs, int inputs) {
    count = Math.ceilDiv(outputs, WIDTH);
    panelBytes = (long) inputs * WIDTH * Float.BYTES;
    bytes = count * panelBytes;
    memory = new LargeMemory(bytes);
  }

  /** Memory that the panels of a matrix take. */
  static long bytes(CpuMatrix matrix) {
    return (long) Math.ceilDiv(matrix.outputs(), WIDTH) * WIDTH * matrix.inputs() * Float.BYTES;
  }

  /** Packs a matrix on all workers. */
  static Panels pack(CpuMatrix matrix, Workers workers) {
    Panels panels = new Panels(matrix.outputs(), matrix.inputs());
    float[][] scratch = new float[workers.count()][matrix.inputs() + CpuTensor.ROW_ALIGNMENT];
    workers.run(panels.count, (panel, worker) -> panels.fill(matrix, panel, scratch[worker]));
    return panels;
  }

  private void fill(CpuMatrix matrix, int panel, float[] row) {
    long base = panel(panel);
    for (int lane = 0; lane < WIDTH; lane++) {
      int output = panel * WIDTH + lane;
      boolean real = output < matrix.outputs();
      if (real) {
        matrix.decode(output, row, 0);
      }
      long at = base + 4L * lane;
      for (int k = 0; k < matrix.inputs(); k++) {
        NativeMemory.set(at + 4L * WIDTH * k, real ? row[k] : 0);
      }
    }
  }

  /** Number of panels. */
  int count() {
    return count;
  }

  /** Address of panel {@code index}. */
  long panel(int index) {
    return memory.address() + index * panelBytes;
  }

  @Override
  public long bytes() {
    return bytes;
  }

  @Override
  public void close() {
    memory.close();
  }
}
