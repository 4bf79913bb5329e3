package org.chunkllama.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** One row times quantised strips: each weight is decoded in registers and used once. */
final class SingleRowProduct implements MatrixProduct, Workers.Task {
  private static final int TASKS_PER_THREAD = 6;
  private static final int WIDTH = PanelSource.WIDTH;

  private final Workers workers;
  private final float[][] sums;
  private final ProductCall call = new ProductCall();
  private float[] x = {};
  private @Nullable PackedMatrix packed;
  private int panelsPerTask;

  SingleRowProduct(Workers workers) {
    this.workers = workers;
    this.sums = new float[workers.count()][WIDTH];
  }

  /** {@code rows} must be 1 and {@code w} packed and quantised. */
  @Override
  public void multiply(
      CpuMatrix w, @Nullable CpuTensor bias, CpuTensor in, int rows, CpuTensor out, boolean add) {
    PackedMatrix weights = w.packed();
    if (rows != 1 || weights == null || !weights.quantised()) {
      throw new IllegalStateException("not a single row and a quantised matrix");
    }
    packed = weights;
    call.set(w, bias, in, rows, out, add);
    if (x.length < call.inputs) {
      x = new float[call.inputs];
    }
    MemorySegment.copy(in.segment(), JAVA_FLOAT, 0, x, 0, call.inputs);
    panelsPerTask = Math.ceilDiv(weights.panels(), workers.count() * TASKS_PER_THREAD);
    workers.run(Math.ceilDiv(weights.panels(), panelsPerTask), this);
  }

  @Override
  public void run(int index, int worker) {
    PackedMatrix weights = packed;
    if (weights == null) {
      throw new IllegalStateException("no product");
    }
    float[] c = sums[worker];
    int end = Math.min(weights.panels(), (index + 1) * panelsPerTask);
    for (int panel = index * panelsPerTask; panel < end; panel++) {
      int piece = weights.pieceOf(panel);
      int inside = panel - weights.firstPanel[piece];
      QuantStrips strips = (QuantStrips) weights.pieces[piece];
      strips.multiply(inside, x, c);
      int outputs = Math.min(WIDTH, strips.outputs() - inside * WIDTH);
      call.putRow(0, weights.firstOutput[piece] + inside * WIDTH, c, 0, outputs);
    }
  }
}
