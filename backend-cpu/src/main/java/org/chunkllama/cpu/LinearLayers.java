package org.chunkllama.cpu;

import java.util.ArrayList;
import java.util.List;
import org.chunkllama.spi.WeightTensor;
import org.jspecify.annotations.Nullable;

/**
 * Chooses how each linear layer is computed, and owns the packed copies. A copy is made when a
 * matrix is first multiplied, if it fits the free memory; without one, the weights are read where
 * they lie.
 */
final class LinearLayers implements MatrixProduct, AutoCloseable {
  private final Workers workers;
  private final RowProduct rowProduct;
  private final SingleRowProduct singleRowProduct;
  private final PanelProduct panelProduct;
  private final List<PackedMatrix> copies = new ArrayList<>();

  LinearLayers(Workers workers) {
    this.workers = workers;
    this.rowProduct = new RowProduct(workers);
    this.singleRowProduct = new SingleRowProduct(workers);
    this.panelProduct = new PanelProduct(workers);
  }

  CpuMatrix matrix(List<WeightTensor> parts) {
    return new CpuMatrix(parts);
  }

  @Override
  public void multiply(
      CpuMatrix w, @Nullable CpuTensor bias, CpuTensor in, int rows, CpuTensor out, boolean add) {
    if (w.packed() == null) {
      PackedMatrix copy = PackedMatrix.pack(w, workers);
      copies.add(copy);
      w.packed(copy);
    }
    PackedMatrix packed = w.packed();
    if (packed != null && rows == 1 && packed.quantised()) {
      singleRowProduct.multiply(w, bias, in, rows, out, add);
    } else if (packed != null && rows > 1) {
      panelProduct.multiply(w, bias, in, rows, out, add);
    } else {
      rowProduct.multiply(w, bias, in, rows, out, add);
    }
  }

  /** Memory of all packed copies. */
  long bytes() {
    return copies.stream().mapToLong(PackedMatrix::bytes).sum();
  }

  @Override
  public void close() {
    panelProduct.close();
    copies.forEach(PackedMatrix::close);
    copies.clear();
  }
}
