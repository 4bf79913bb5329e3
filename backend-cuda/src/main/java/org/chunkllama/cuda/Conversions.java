package org.chunkllama.cuda;

import org.chunkllama.cuda.driver.CudaModule;
import org.chunkllama.cuda.driver.DeviceMemory;
import org.chunkllama.cuda.driver.Kernel;

/** From fp32 to the 16 bits that products and attention read, and back. */
final class Conversions {
  private final CudaDevice device;
  private final Kernel convert;
  private final Kernel restore;
  private final Kernel queries;

  Conversions(CudaDevice device) {
    this.device = device;
    CudaModule rows = device.kernels.module("rows.cu", device.productConstant());
    convert = rows.kernel("convert", 4);
    restore = rows.kernel("restore", 4);
    queries = device.kernels.module("rotary.cu").kernel("narrow_queries", 6);
  }

  /** The first {@code rows} rows to rows of {@code stride} values as products read them. */
  void narrow(DeviceMemory from, int columns, int rows, DeviceMemory to, int stride) {
    convert
        .call()
        .with(from)
        .with(columns)
        .with(to)
        .with(stride)
        .launchEarly(device.stream, RowKernels.fours(columns), rows, RowKernels.THREADS, 0);
  }

  /** Back to fp32. */
  void widen(DeviceMemory from, int stride, int rows, DeviceMemory to, int columns) {
    restore
        .call()
        .with(from)
        .with(stride)
        .with(columns)
        .with(to)
        .launchEarly(device.stream, RowKernels.fours(columns), rows, RowKernels.THREADS, 0);
  }

  /** The queries among the first {@code rows} rows. */
  void narrowQueries(DeviceMemory from, int columns, int rows, QueryTwin to) {
    queries
        .call()
        .with(from)
        .with(columns)
        .with(to.memory())
        .with(to.columns())
        .with(to.stride())
        .with(to.type().number())
        .launchEarly(device.stream, RowKernels.blocks(to.columns()), rows, RowKernels.THREADS, 0);
  }
}
