package org.chunkllama.cuda;

import java.util.List;
import org.chunkllama.cuda.CudaMatrix.Section;
import org.chunkllama.cuda.driver.DeviceMemory;
import org.chunkllama.cuda.driver.Kernel;
import org.chunkllama.cuda.driver.Owned;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.RandomWeight;
import org.jspecify.annotations.Nullable;

/** Random weights, made on the GPU. */
final class RandomMatrices {
  private final CudaDevice device;
  private final KeptFormats kept;
  private final QuantisedRows quantised;
  private @Nullable Kernel kernel;

  /** Quantised ones are of one type where rows fill its blocks. */
  RandomMatrices(CudaDevice device, KeptFormats kept, QuantisedRows quantised) {
    this.device = device;
    this.kept = kept;
    this.quantised = quantised;
  }

  /** The parts stacked along their outputs. */
  CudaMatrix matrix(List<RandomWeight> parts) {
    int inputs = parts.getFirst().columns();
    int outputs = parts.stream().mapToInt(RandomWeight::rows).sum();
    return kept.keep(kept.random()) && inputs % kept.random().blockValues() == 0
        ? tiles(parts.getFirst(), outputs, inputs)
        : values(parts, outputs, inputs);
  }

  private CudaMatrix values(List<RandomWeight> parts, int outputs, int inputs) {
    DeviceMemory memory = WeightUpload.allocate(device, outputs, inputs, parts.getFirst().name());
    try {
      fill(parts, inputs, memory);
    } catch (Throwable e) {
      Owned.close(memory, e);
      throw e;
    }
    return new CudaMatrix(outputs, inputs, memory, List.of());
  }

  private void fill(List<RandomWeight> parts, int inputs, DeviceMemory memory) {
    Kernel kernel = kernel();
    int stride = CudaMatrix.stride(inputs);
    long at = 0;
    for (RandomWeight part : parts) {
      long values = (long) part.rows() * inputs;
      kernel
          .call()
          .with(part.seed())
          .with(part.spread())
          .with(values)
          .with(inputs)
          .with(memory, at)
          .with(stride)
          .launch(device.stream, WeightUpload.blocks(values), 1, WeightUpload.THREADS, 0);
      at += (long) part.rows() * stride * WeightUpload.valueBytes(device);
    }
  }

  private Kernel kernel() {
    if (kernel == null) {
      kernel =
          device.kernels.module("random.cu", device.productConstant()).kernel("random_weight", 6);
    }
    return kernel;
  }

  private CudaMatrix tiles(RandomWeight first, int outputs, int inputs) {
    DType type = kept.random();
    long bytes = KeptFormats.bytes(type, outputs, inputs);
    DeviceMemory memory = device.allocate(bytes, "the weight " + first.name());
    CudaMatrix matrix =
        new CudaMatrix(outputs, inputs, memory, List.of(new Section(type, 0, outputs, 0)));
    try {
      quantised.random(matrix, first);
    } catch (Throwable e) {
      Owned.close(memory, e);
      throw e;
    }
    return matrix;
  }
}
