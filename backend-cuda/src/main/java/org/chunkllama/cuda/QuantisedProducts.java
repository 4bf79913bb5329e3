package org.chunkllama.cuda;

import java.util.HashMap;
import java.util.Map;
import org.chunkllama.cuda.CudaMatrix.Section;
import org.chunkllama.cuda.driver.CudaModule;
import org.chunkllama.cuda.driver.DeviceMemory;
import org.chunkllama.cuda.driver.Kernel;
import org.chunkllama.spi.DType;
import org.jspecify.annotations.Nullable;

/** Products of few rows with weights that stay quantised ({@code quantised.cu}). */
final class QuantisedProducts implements AutoCloseable {
  /** More rows are faster with the weight dequantised, even if that is done for each product. */
  static final int ROWS_MAX = 96;

  private static final String SOURCE = "quantised.cu";
  private static final int ROWS = 32; // of one launch
  private static final int[] PARTS = {1, 2, 3, 4, 6, 8}; // that the inputs are divided into
  private static final int INPUTS_LEAST = 1024; // in a part
  private static final int FEW_OUTPUTS = 32; // for each multiprocessor
  private static final double MEETING = 0.5; // costs of several parts, in items of whole rows

  private record Key(DType type, int rows8, boolean fewOutputs) {}

  /** A kernel with its exported constants. */
  private record Compiled(Kernel kernel, int threads, int columns, int resident, int sharedBytes) {}

  private final CudaDevice device;
  private final QuantisedRows rowKernels;
  private final Map<Key, Compiled> kernels = new HashMap<>();
  private @Nullable DeviceMemory sums;
  private @Nullable DeviceMemory arrivals;
  private @Nullable DeviceMemory wide;

  QuantisedProducts(CudaDevice device, QuantisedRows rowKernels) {
    this.device = device;
    this.rowKernels = rowKernels;
  }

  /** Queues {@code out (+)= in . w^T} for up to {@link #ROWS_MAX} rows. */
  void run(CudaMatrix w, DeviceMemory in, int inStride, int rows, DeviceMemory out, boolean add) {
    for (Section section : w.sections()) {
      for (int from = 0; from < rows; from += ROWS) {
        launch(w, section, in, inStride, from, Math.min(ROWS, rows - from), out, add);
      }
    }
  }

  private void launch(
      CudaMatrix w,
      Section section,
      DeviceMemory in,
      int inStride,
      int first,
      int rows,
      DeviceMemory out,
      boolean add) {
    int rows8 = rows <= 8 ? 1 : rows <= 16 ? 2 : 4;
    int multiprocessors = device.context.properties().multiprocessors();
    boolean few = rows8 > 1 && section.outputs() <= FEW_OUTPUTS * multiprocessors;
    Compiled c = kernels.computeIfAbsent(new Key(section.type(), rows8, few), this::compile);
    int groups = Math.ceilDiv(section.outputs(), c.columns);
    int parts = parts(groups, w.inputs(), multiprocessors);
    int items = groups * parts;
    ensure(groups, parts == 1 ? 1 : (long) items * rows8 * 8 * c.columns * Float.BYTES);
    c.kernel
        .call()
        .with(w.memory(), section.offset())
        .with(in, (long) first * inStride * Short.BYTES)
        .with(inStride)
        .with(KeptFormats.blocks(section.type(), w.inputs()))
        .with(section.outputs())
        .with(rows)
        .with(out, ((long) first * w.outputs() + section.first()) * Float.BYTES)
        .with(w.outputs())
        .with(add ? 1 : 0)
        .with(parts)
        .with(sums)
        .with(arrivals)
        .launchEarly(
            device.stream,
            Math.min(items, multiprocessors * c.resident),
            1,
            c.threads,
            c.sharedBytes);
  }

  /** The division of the inputs that keeps all multiprocessors busy to the end. */
  static int parts(int groups, int inputs, int units) {
    int best = 1;
    double least = Double.MAX_VALUE;
    for (int parts : PARTS) {
      if (parts > 1 && inputs / parts < INPUTS_LEAST) {
        break;
      }
      double cost = Math.ceilDiv(groups * parts, units) / (double) parts;
      if (parts > 1) {
        cost += MEETING;
      }
      if (cost < least) {
        best = parts;
        least = cost;
      }
    }
    return best;
  }

  private Compiled compile(Key key) {
    CudaModule module =
        device.kernels.module(
            SOURCE,
            device.productConstant(),
            "FORMAT=" + key.type.name(),
            "ROWS8=" + key.rows8,
            "FEW_OUTPUTS=" + (key.fewOutputs ? 1 : 0));
    Kernel kernel = module.kernel("product", 12);
    int shared = module.constant("product_shared_bytes");
    kernel.allowShared(shared);
    return new Compiled(
        kernel,
        module.constant("product_threads"),
        module.constant("product_columns"),
        module.constant("product_resident"),
        shared);
  }

  private void ensure(int groups, long bytes) {
    if (sums == null || sums.bytes() < bytes) {
      sums = grown(sums, bytes);
    }
    long counters = (long) groups * Integer.BYTES;
    if (arrivals == null || arrivals.bytes() < counters) {
      DeviceMemory more = grown(arrivals, counters);
      arrivals = null;
      device.zero(more);
      arrivals = more;
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
    rowKernels.dequantise(w, wide);
    return wide;
  }

  @Override
  public void close() {
    device.release(sums, arrivals, wide);
  }
}
