package org.chunkllama.cpu;

/** Weights as fp32 panels, {@code [panels][inputs][WIDTH]}, for types that are not quantised. */
final class Panels implements PanelSource {
  private final LargeMemory memory;
  private final int outputs;
  private final long panelBytes;

  private Panels(int outputs, int inputs) {
    this.outputs = outputs;
    this.panelBytes = (long) inputs * WIDTH * Float.BYTES;
    this.memory = new LargeMemory(bytes());
  }

  /** Memory that the panels of so many outputs take. */
  static long bytes(int outputs, int inputs) {
    return (long) Math.ceilDiv(outputs, WIDTH) * WIDTH * inputs * Float.BYTES;
  }

  /** Packs outputs [first, end) of a matrix on all workers. */
  static Panels pack(CpuMatrix matrix, int first, int end, Workers workers) {
    Panels panels = new Panels(end - first, matrix.inputs());
    float[][] scratch = new float[workers.count()][matrix.inputs()];
    workers.run(
        panels.panels(), (panel, worker) -> panels.fill(matrix, first, panel, scratch[worker]));
    return panels;
  }

  private void fill(CpuMatrix matrix, int first, int panel, float[] row) {
    long base = memory.address() + panel * panelBytes;
    for (int lane = 0; lane < WIDTH; lane++) {
      int output = panel * WIDTH + lane;
      boolean real = output < outputs;
      if (real) {
        matrix.decode(first + output, row, 0);
      }
      long at = base + 4L * lane;
      for (int k = 0; k < matrix.inputs(); k++) {
        NativeMemory.set(at + 4L * WIDTH * k, real ? row[k] : 0);
      }
    }
  }

  @Override
  public long panel(int index, int from, int count, long scratch) {
    return memory.address() + index * panelBytes + 4L * WIDTH * from;
  }

  @Override
  public int outputs() {
    return outputs;
  }

  @Override
  public long bytes() {
    return panels() * panelBytes;
  }

  @Override
  public void close() {
    memory.close();
  }
}
