package org.chunkllama.cuda;

import java.lang.foreign.MemorySegment;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.chunkllama.cuda.driver.DeviceMemory;
import org.chunkllama.cuda.driver.Kernel;
import org.chunkllama.cuda.driver.MatrixProduct;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.WeightTensor;
import org.jspecify.annotations.Nullable;

/** Weights to the GPU: sent as they lie in their file, dequantised there. */
final class WeightUpload implements AutoCloseable {
  private static final long PART_BYTES = Staging.BYTES / 4;
  private static final int THREADS = 256;

  private final CudaDevice device;
  private final Map<DType, Kernel> kernels = new EnumMap<>(DType.class);
  private @Nullable DeviceMemory raw;

  WeightUpload(CudaDevice device) {
    this.device = device;
  }

  /** The parts stacked along their outputs. */
  CudaMatrix matrix(List<WeightTensor> parts) {
    if (parts.isEmpty()) {
      throw new IllegalArgumentException("a matrix needs at least one part");
    }
    int inputs = parts.getFirst().columns();
    int outputs = 0;
    for (WeightTensor part : parts) {
      if (part.columns() != inputs) {
        throw new IllegalArgumentException(
            "%s has %d columns, %s has %d"
                .formatted(part.name(), part.columns(), parts.getFirst().name(), inputs));
      }
      outputs = Math.addExact(outputs, part.rows());
    }
    int stride = CudaMatrix.stride(inputs);
    long rowBytes = (long) stride * valueBytes();
    DeviceMemory memory =
        device.allocate(outputs * rowBytes, "the weight " + parts.getFirst().name());
    if (stride > inputs) {
      memory.fill(0, 0, memory.bytes(), device.stream);
    }
    long at = 0;
    for (WeightTensor part : parts) {
      send(part, memory, at, stride);
      at += part.rows() * rowBytes;
    }
    return new CudaMatrix(outputs, inputs, memory);
  }

  private int valueBytes() {
    return device.products == MatrixProduct.Type.F32 ? 4 : 2;
  }

  private void send(WeightTensor part, DeviceMemory target, long offset, int stride) {
    if (raw == null) {
      raw = device.allocate(PART_BYTES, "the upload of weights");
    }
    Kernel kernel = kernel(part.type());
    long fileBytes = part.type().bytes(part.columns());
    if (fileBytes > PART_BYTES) {
      throw new IllegalArgumentException(part.name() + " has rows of " + fileBytes + " bytes");
    }
    int most = (int) (PART_BYTES / fileBytes);
    for (int row = 0; row < part.rows(); row += most) {
      int count = Math.min(most, part.rows() - row);
      long bytes = count * fileBytes;
      long at = device.staging.take(bytes);
      MemorySegment.copy(part.data(), row * fileBytes, device.staging.segment(), at, bytes);
      device.staging.send(at, raw, 0, bytes);
      long values = (long) count * part.columns();
      kernel
          .with(raw)
          .with(values)
          .with(part.columns())
          .with(target, offset + (long) row * stride * valueBytes())
          .with(stride)
          .launch(device.stream, blocks(values), 1, THREADS, 0);
    }
  }

  private static int blocks(long values) {
    return (int) Math.min((values + THREADS - 1) / THREADS, 1 << 14);
  }

  private Kernel kernel(DType type) {
    return kernels.computeIfAbsent(
        type,
        t ->
            device
                .kernels
                .module("dequantise.cu", device.productConstant())
                .kernel("dequantise_" + t.name().toLowerCase(Locale.ROOT), 5));
  }

  @Override
  public void close() {
    if (raw != null) {
      raw.close();
      raw = null;
    }
  }
}
