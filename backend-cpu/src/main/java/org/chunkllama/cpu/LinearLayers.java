package org.chunkllama.cpu;

import java.util.ArrayList;
import java.util.List;
import org.chunkllama.spi.WeightTensor;
import org.jspecify.annotations.Nullable;

/**
 * Chooses how each linear layer is computed, and owns the packed copies: few rows read the weights
 * as they lie in the file, many rows a packed copy, made when first needed and if it fits.
 */
final class LinearLayers implements MatrixProduct, AutoCloseable {
  /** Below this many rows, the weights are read as they are. */
  private static final int PACKED_FROM_ROWS = 8;

  private final Workers workers;
  private final RowProduct rowProduct;
  private final PanelProduct panelProduct;
  private final List<PackedWeights> copies = new ArrayList<>();

  LinearLayers(Workers workers) {
    this.workers = workers;
    this.rowProduct = new RowProduct(workers);
    this.panelProduct = new PanelProduct(workers);
  }

  CpuMatrix matrix(List<WeightTensor> parts) {
    return new CpuMatrix(parts);
  }

  @Override
  public void multiply(
      CpuMatrix w, @Nullable CpuTensor bias, CpuTensor in, int rows, CpuTensor out, boolean add) {
    if (rows >= PACKED_FROM_ROWS && packed(w)) {
      panelProduct.multiply(w, bias, in, rows, out, add);
    } else {
      rowProduct.multiply(w, bias, in, rows, out, add);
    }
  }

  private boolean packed(CpuMatrix w) {
    if (w.packed() == null) {
      Panels copy = Panels.pack(w, workers);
      copies.add(copy);
      w.packed(copy);
    }
    return true;
  }

  /** Memory of all packed copies. */
  long bytes() {
    return copies.stream().mapToLong(PackedWeights::bytes).sum();
  }

  @Override
  public void close() {
    copies.forEach(PackedWeights::close);
    copies.clear();
  }
}
