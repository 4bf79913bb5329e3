package org.chunkllama.cpu;

import java.util.ArrayList;
import java.util.List;
import org.chunkllama.spi.WeightTensor;
import org.jspecify.annotations.Nullable;

/**
 * Chooses how each linear layer is computed, and owns the packed copies.
 *
 * <ul>
 *   <li>One row: quantised strips, each weight decoded in registers.
 *   <li>Few rows: the same strips decoded panel by panel, in fp32.
 *   <li>Many rows: oneDNN in bf16 where it is faster, else as few rows.
 * </ul>
 *
 * A copy is made when a matrix first needs it, if half of the free memory holds it; without one,
 * the weights are read where they lie. A table that is only looked up is never copied.
 */
final class LinearLayers implements MatrixProduct, AutoCloseable {
  // Below, oneDNN's bf16 copy costs more to read than its arithmetic saves.
  private static final int ONEDNN_FROM_ROWS = 8;

  private final Workers workers;
  private final ProductChoice choice;
  private final RowProduct rowProduct;
  private final SingleRowProduct singleRowProduct;
  private final PanelProduct panelProduct;
  private final OneDnnProduct oneDnnProduct;
  private final List<CpuMatrix> copied = new ArrayList<>();

  LinearLayers(Workers workers, ProductChoice choice) {
    this.workers = workers;
    this.choice = choice;
    this.rowProduct = new RowProduct(workers);
    this.singleRowProduct = new SingleRowProduct(workers);
    this.panelProduct = new PanelProduct(workers);
    this.oneDnnProduct = new OneDnnProduct(workers);
  }

  CpuMatrix matrix(List<WeightTensor> parts) {
    return new CpuMatrix(parts);
  }

  @Override
  public void multiply(
      CpuMatrix w, @Nullable CpuTensor bias, CpuTensor in, int rows, CpuTensor out, boolean add) {
    if (rows == 0) {
      return;
    }
    product(w, rows).multiply(w, bias, in, rows, out, add);
  }

  private MatrixProduct product(CpuMatrix w, int rows) {
    if (rows >= ONEDNN_FROM_ROWS && inBf16(w)) {
      return oneDnnProduct;
    }
    boolean worthCopying = rows > 1 || w.isQuantised();
    if (!worthCopying || !packed(w)) {
      return rowProduct;
    }
    return rows == 1 ? singleRowProduct : panelProduct;
  }

  private boolean inBf16(CpuMatrix w) {
    OneDnnEngine engine = choice.engine();
    if (engine == null) {
      return false;
    }
    if (w.bf16() == null && w.mayCopy() && fits(w, OneDnnWeights.bytes(w))) {
      w.bf16(new OneDnnWeights(engine, w, workers));
      copied.add(w);
    }
    return w.bf16() != null;
  }

  private boolean packed(CpuMatrix w) {
    if (w.packed() == null && w.mayCopy() && fits(w, PackedMatrix.bytes(w))) {
      w.packed(PackedMatrix.pack(w, workers));
      copied.add(w);
    }
    return w.packed() != null;
  }

  private static boolean fits(CpuMatrix w, long bytes) {
    if (bytes <= FreeMemory.bytes() / 2) {
      return true;
    }
    w.neverCopy(); // asked once, not at every step
    return false;
  }

  /** Memory of all packed copies. */
  long bytes() {
    return copied.stream().distinct().mapToLong(CpuMatrix::bytes).sum();
  }

  /** What was chosen and why, and the memory of copies made so far. */
  String description() {
    return choice.why() + ", packed weights " + (bytes() >> 20) + " MiB";
  }

  @Override
  public void close() {
    panelProduct.close();
    oneDnnProduct.close();
    copied.forEach(CpuMatrix::close);
    copied.clear();
    if (choice.engine() != null) {
      choice.engine().close();
    }
  }
}
