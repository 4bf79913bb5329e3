package org.chunkllama.cuda;

import java.util.HashMap;
import java.util.Map;
import org.chunkllama.cuda.driver.DeviceMemory;
import org.chunkllama.cuda.driver.Kernel;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.RandomWeight;
import org.jspecify.annotations.Nullable;

/** What is done with weights that stay quantised beside products ({@code quantised_rows.cu}). */
final class QuantisedRows {
  private static final int THREADS = WeightUpload.THREADS;

  private final CudaDevice device;
  private final Map<Key, Kernel> kernels = new HashMap<>();

  QuantisedRows(CudaDevice device) {
    this.device = device;
  }

  private record Key(DType type, String kernel) {}

  private Kernel kernel(DType type, String name, int parameters) {
    return kernels.computeIfAbsent(
        new Key(type, name),
        key ->
            device
                .kernels
                .module("quantised_rows.cu", device.productConstant(), "FORMAT=" + type.name())
                .kernel(name, parameters));
  }

  /** Packs rows that lie in {@code raw} as in their file. */
  interface Packer {
    /**
     * Rows [first, first + count) of a section.
     *
     * @param mark left in {@code marks}, if given, where fp16 cannot hold a value
     */
    void pack(DeviceMemory raw, int first, int count, @Nullable DeviceMemory marks, int mark);
  }

  /** Packs rows of type {@code type} into the section at {@code offset} of {@code memory}. */
  Packer packer(DType type, int inputs, DeviceMemory memory, long offset) {
    Kernel kernel = kernel(type, "pack", 7);
    int blocks = KeptFormats.blocks(type, inputs);
    return (raw, first, count, marks, mark) ->
        kernel
            .call()
            .with(raw)
            .with(count)
            .with(blocks)
            .with(first)
            .with(memory, offset)
            .with(marks)
            .with(mark)
            .launch(device.stream, WeightUpload.blocks((long) count * blocks), 1, THREADS, 0);
  }

  /** Rows {@code tokens} of a table. */
  void embed(CudaMatrix table, DeviceMemory tokens, int count, CudaTensor out) {
    DeviceMemory to = out.memoryToWrite();
    for (CudaMatrix.Section section : table.sections()) {
      kernel(section.type(), "embed", 6)
          .call()
          .with(table.memory(), section.offset())
          .with(section.first())
          .with(section.outputs())
          .with(tokens)
          .with(table.inputs())
          .with(to)
          .launch(device.stream, count, 1, THREADS, 0);
    }
  }

  /** The whole weight in 16 bits, rows as wide ones have them. */
  void dequantise(CudaMatrix w, DeviceMemory wide) {
    int stride = CudaMatrix.stride(w.inputs());
    for (CudaMatrix.Section section : w.sections()) {
      kernel(section.type(), "dequantise", 5)
          .call()
          .with(w.memory(), section.offset())
          .with(section.outputs())
          .with(KeptFormats.blocks(section.type(), w.inputs()))
          .with(wide, (long) section.first() * stride * Short.BYTES)
          .with(stride)
          .launch(
              device.stream,
              WeightUpload.blocks(Math.ceilDiv(section.outputs(), 16L) * w.inputs()),
              1,
              THREADS,
              0);
    }
  }

  /** Fills a weight of one section with random numbers. */
  void random(CudaMatrix w, RandomWeight like) {
    CudaMatrix.Section section = w.sections().getFirst();
    long blocks = w.memory().bytes() / KeptFormats.tileBytes(section.type());
    kernel(section.type(), "random_tiles", 4)
        .call()
        .with(like.seed())
        .with(like.spread())
        .with(blocks)
        .with(w.memory())
        .launch(device.stream, WeightUpload.blocks(blocks * 32), 1, THREADS, 0);
  }
}
