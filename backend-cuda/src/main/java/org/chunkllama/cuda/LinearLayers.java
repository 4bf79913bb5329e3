package org.chunkllama.cuda;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.chunkllama.cuda.driver.DeviceMemory;
import org.chunkllama.cuda.driver.Kernel;
import org.chunkllama.cuda.driver.MatrixProduct;
import org.chunkllama.cuda.driver.Owned;
import org.jspecify.annotations.Nullable;

/** Products of cuBLASLt, one algorithm chosen for each shape and kept. */
final class LinearLayers implements AutoCloseable {
  private static final int TUNED_ROWS = 512;
  private static final long TUNED_BYTES = 1 << 22; // smaller ones take no time

  private final CudaDevice device;
  private final Kernel setBias;
  private final QuantisedProducts quantised;
  private final ProductChoice choice;
  private final Map<MatrixProduct.Shape, MatrixProduct> products = new HashMap<>();

  LinearLayers(CudaDevice device, QuantisedRows rows) {
    this.device = device;
    quantised = new QuantisedProducts(device, rows);
    choice = new ProductChoice(device);
    setBias = device.kernels.module("rows.cu", device.productConstant()).kernel("set_bias", 4);
  }

  /** {@code out = in . w^T + bias}, or added to it. */
  void run(
      CudaMatrix w,
      @Nullable CudaTensor bias,
      CudaTensor in,
      int rows,
      CudaTensor out,
      boolean add) {
    if (rows == 0) {
      return;
    }
    DeviceMemory input = input(in, rows);
    DeviceMemory target = out.memoryToWrite();
    boolean accumulate = add;
    if (bias != null) {
      setBias
          .call()
          .with(bias.memory())
          .with(w.outputs())
          .with(add ? 1 : 0)
          .with(target)
          .launchEarly(device.stream, RowKernels.fours(w.outputs()), rows, RowKernels.THREADS, 0);
      accumulate = true;
    }
    if (w.isQuantised() && rows <= QuantisedProducts.ROWS_MAX) {
      quantised.run(w, input, in.twinStride(), rows, target, accumulate);
      return;
    }
    DeviceMemory weight = w.isQuantised() ? quantised.dequantised(w) : w.memory();
    product(w, weight, in, rows, accumulate).run(weight, input, target, device.stream);
  }

  /** What the product reads: the tensor, or its 16-bit twin. */
  private DeviceMemory input(CudaTensor in, int rows) {
    if (device.products == MatrixProduct.Type.F32) {
      return in.memory();
    }
    DeviceMemory twin = in.twin();
    if (in.twinRows() < rows) {
      device.conversions.narrow(in.memory(), in.columns(), rows, twin, in.twinStride());
      in.setTwinRows(rows);
    }
    return twin;
  }

  private MatrixProduct product(
      CudaMatrix w, DeviceMemory weight, CudaTensor in, int rows, boolean add) {
    MatrixProduct product = w.lastProduct;
    if (product == null || w.lastRows != rows || w.lastAdd != add) {
      product = products.computeIfAbsent(shape(w, in, rows, add), shape -> create(shape, weight));
      w.lastProduct = product;
      w.lastRows = rows;
      w.lastAdd = add;
    }
    return product;
  }

  private MatrixProduct.Shape shape(CudaMatrix w, CudaTensor in, int rows, boolean add) {
    boolean narrow = device.products != MatrixProduct.Type.F32;
    int stride = CudaMatrix.stride(w.inputs());
    // Padding is zeros on both sides: summing it is cheaper than an odd length.
    return new MatrixProduct.Shape(
        w.outputs(),
        narrow ? stride : w.inputs(),
        rows,
        stride,
        narrow ? in.twinStride() : in.columns(),
        device.products,
        add);
  }

  private MatrixProduct create(MatrixProduct.Shape shape, DeviceMemory weight) {
    boolean tuned =
        shape.type() != MatrixProduct.Type.F32
            && shape.rows() <= TUNED_ROWS
            && weight.bytes() >= TUNED_BYTES;
    return new MatrixProduct(device.blas, shape, tuned ? choice.of(shape, weight) : null);
  }

  @Override
  public void close() {
    List<AutoCloseable> all = new ArrayList<>(products.values());
    all.add(quantised);
    products.clear();
    Owned.closeAll(all);
  }
}
