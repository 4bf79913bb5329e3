package org.chunkllama.cuda;

import java.util.HashMap;
import java.util.Map;
import org.chunkllama.cuda.driver.DeviceMemory;
import org.chunkllama.cuda.driver.Kernel;
import org.jspecify.annotations.Nullable;

/** Products of few rows with weights that stay in Q8_0 ({@code quantised.cu}). */
final class QuantisedProducts implements AutoCloseable {
  /** More rows are faster with the weight dequantised, even if that is done for each product. */
  static final int ROWS_MAX = 96;

  private static final String SOURCE = "quantised.cu";
  private static final int ROWS = 32; // of one launch
  private static final int WARPS = 8;
  private static final int OUTPUTS = 16 * WARPS; // of a block of threads
  private static final int PARTS_MAX = 16;
  private static final int BLOCKS_LEAST = 8; // of inputs, in a part
  private static final double BLOCKS_PER_UNIT = 2.9; // that keep a multiprocessor busy
  private static final int DEQUANTISE_THREADS = 256;
  private static final int DEQUANTISE_BLOCKS = 1 << 12;

  private final CudaDevice device;
  private final Map<Integer, Kernel> kernels = new HashMap<>(); // by blocks of 8 rows
  private @Nullable Kernel dequantise;
  private @Nullable DeviceMemory parts;
  private @Nullable DeviceMemory arrivals;
  private @Nullable DeviceMemory wide;

  QuantisedProducts(CudaDevice device) {
    this.device = device;
  }

  /** Queues {@code out (+)= in . w^T} for up to {@link #ROWS_MAX} rows. */
  void run(CudaMatrix w, DeviceMemory in, int inStride, int rows, DeviceMemory out, boolean add) {
    for (int from = 0; from < rows; from += ROWS) {
      launch(w, in, inStride, from, Math.min(ROWS, rows - from), out, add);
    }
  }

  private void launch(
      CudaMatrix w,
      DeviceMemory in,
      int inStride,
      int first,
      int rows,
      DeviceMemory out,
      boolean add) {
    int rows8 = rows <= 8 ? 1 : rows <= 16 ? 2 : 4;
    int groups = Math.ceilDiv(w.outputs(), OUTPUTS);
    int partCount = parts(groups, w.inputs() / 32);
    ensure(groups, (long) partCount * rows8 * 8 * groups * OUTPUTS * Float.BYTES);
    kernel(rows8)
        .with(w.memory())
        .with(w.memory(), w.scalesOffset())
        .with(in, (long) first * inStride * Short.BYTES)
        .with(inStride)
        .with(w.inputs() / 32)
        .with(w.outputs())
        .with(rows)
        .with(out, (long) first * w.outputs() * Float.BYTES)
        .with(w.outputs())
        .with(add ? 1 : 0)
        .with(parts)
        .with(arrivals)
        .launch(device.stream, groups, partCount, 32 * WARPS, 0);
  }

  /** A power of two. */
  private int parts(int groups, int blocks) {
    double wanted = BLOCKS_PER_UNIT * device.context.properties().multiprocessors();
    int count = 1;
    while (count < PARTS_MAX && count * groups < wanted && blocks / (2 * count) >= BLOCKS_LEAST) {
      count *= 2;
    }
    return count;
  }

  private Kernel kernel(int rows8) {
    return kernels.computeIfAbsent(
        rows8,
        n ->
            device
                .kernels
                .module(SOURCE, device.productConstant(), "ROWS8=" + n)
                .kernel("product_q8", 12));
  }

  private void ensure(int groups, long bytes) {
    if (parts == null || parts.bytes() < bytes) {
      parts = grown(parts, bytes);
    }
    long counters = (long) groups * Integer.BYTES;
    if (arrivals == null || arrivals.bytes() < counters) {
      arrivals = grown(arrivals, counters);
      arrivals.fill(0, 0, arrivals.bytes(), device.stream);
    }
  }

  private DeviceMemory grown(@Nullable DeviceMemory old, long bytes) {
    return device.larger(old, Math.max(bytes, old == null ? 0 : 2 * old.bytes()), "products");
  }

  /** The weight as other products take it, until the next call. */
  DeviceMemory dequantised(CudaMatrix w) {
    long bytes = (long) w.outputs() * CudaMatrix.stride(w.inputs()) * Short.BYTES;
    if (wide == null || wide.bytes() < bytes) {
      if (wide != null) {
        device.release(wide); // first: there may be no room for both
        wide = null;
      }
      wide = device.allocate(bytes, "a weight for products of many rows");
    }
    if (dequantise == null) {
      dequantise =
          device
              .kernels
              .module(SOURCE, device.productConstant(), "ROWS8=1")
              .kernel("dequantise_q8_tiles", 6);
    }
    dequantise
        .with(w.memory())
        .with(w.memory(), w.scalesOffset())
        .with(w.outputs())
        .with(w.inputs() / 32)
        .with(wide)
        .with(CudaMatrix.stride(w.inputs()))
        .launch(device.stream, DEQUANTISE_BLOCKS, 1, DEQUANTISE_THREADS, 0);
    return wide;
  }

  @Override
  public void close() {
    for (DeviceMemory memory : new DeviceMemory[] {parts, arrivals, wide}) {
      if (memory != null) {
        memory.close();
      }
    }
  }
}
