package org.chunkllama.cuda;

import java.util.List;
import org.chunkllama.cuda.driver.CudaModule;
import org.chunkllama.cuda.driver.DeviceMemory;
import org.chunkllama.cuda.driver.MatrixProduct;
import org.chunkllama.spi.RandomWeight;
import org.jspecify.annotations.Nullable;

/** Random weights, made on the GPU. */
final class RandomMatrices {
  private final CudaDevice device;
  private final boolean quantised;
  private @Nullable CudaModule module;

  /** {@code quantised}: in Q8_0 where rows fill its blocks. */
  RandomMatrices(CudaDevice device, boolean quantised) {
    this.device = device;
    this.quantised = quantised && device.products != MatrixProduct.Type.F32;
  }

  /** The parts stacked along their outputs. */
  CudaMatrix matrix(List<RandomWeight> parts) {
    if (module == null) {
      module = device.kernels.module("random.cu", device.productConstant());
    }
    int inputs = parts.getFirst().columns();
    int outputs = parts.stream().mapToInt(RandomWeight::rows).sum();
    return quantised && inputs % 32 == 0
        ? tiles(module, parts.getFirst(), outputs, inputs)
        : values(module, parts, outputs, inputs);
  }

  private CudaMatrix values(CudaModule kernels, List<RandomWeight> parts, int outputs, int inputs) {
    DeviceMemory memory = WeightUpload.allocate(device, outputs, inputs, parts.getFirst().name());
    int stride = CudaMatrix.stride(inputs);
    long at = 0;
    for (RandomWeight part : parts) {
      long values = (long) part.rows() * inputs;
      kernels
          .kernel("random_weight", 6)
          .with(part.seed())
          .with(part.spread())
          .with(values)
          .with(inputs)
          .with(memory, at)
          .with(stride)
          .launch(device.stream, WeightUpload.blocks(values), 1, WeightUpload.THREADS, 0);
      at += (long) part.rows() * stride * WeightUpload.valueBytes(device);
    }
    return new CudaMatrix(outputs, inputs, memory, false);
  }

  private CudaMatrix tiles(CudaModule kernels, RandomWeight first, int outputs, int inputs) {
    long bytes = CudaMatrix.quantisedBytes(outputs, inputs);
    DeviceMemory memory = device.allocate(bytes, "the weight " + first.name());
    long values = CudaMatrix.scalesOffset(outputs, inputs);
    kernels
        .kernel("random_q8", 5)
        .with(first.seed())
        .with(first.spread())
        .with(values)
        .with(memory)
        .with(memory, values)
        .launch(device.stream, WeightUpload.blocks(values / 8), 1, WeightUpload.THREADS, 0);
    return new CudaMatrix(outputs, inputs, memory, true);
  }
}
