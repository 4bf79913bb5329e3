package org.chunkllama.cuda;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.chunkllama.cuda.CudaMatrix.Section;
import org.chunkllama.cuda.driver.DeviceMemory;
import org.chunkllama.cuda.driver.Kernel;
import org.chunkllama.cuda.driver.MatrixProduct;
import org.chunkllama.cuda.driver.Owned;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.WeightTensor;
import org.jspecify.annotations.Nullable;

/** Weights to the GPU: sent as they lie in their file, dequantised there unless they are kept. */
final class WeightUpload implements AutoCloseable {
  private static final long PART_BYTES = Staging.BYTES / 4;
  static final int THREADS = 256;

  private final CudaDevice device;
  private final KeptFormats kept;
  private final QuantisedRows quantised;
  private final Map<DType, Kernel> kernels = new EnumMap<>(DType.class);
  private @Nullable DeviceMemory raw;
  private @Nullable DeviceMemory beyond; // number of a part that fp16 cannot hold, or 0

  WeightUpload(CudaDevice device, KeptFormats kept, QuantisedRows quantised) {
    this.device = device;
    this.kept = kept;
    this.quantised = quantised;
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
    if (parts.stream().allMatch(part -> kept.keep(part.type()))) {
      return quantised(parts, outputs, inputs);
    }
    int stride = CudaMatrix.stride(inputs);
    long rowBytes = (long) stride * valueBytes(device);
    DeviceMemory memory = allocate(device, outputs, inputs, parts.getFirst().name());
    try {
      DeviceMemory marks = marks();
      long at = 0;
      for (int i = 0; i < parts.size(); i++) {
        send(parts.get(i), memory, at, stride, marks, i + 1);
        at += parts.get(i).rows() * rowBytes;
      }
      checkMarks(parts, marks);
    } catch (Throwable e) {
      Owned.close(memory, e);
      throw e;
    }
    return new CudaMatrix(outputs, inputs, memory, List.of());
  }

  /** In sections: neighbours of one type are one. */
  private CudaMatrix quantised(List<WeightTensor> parts, int outputs, int inputs) {
    List<Section> sections = sections(parts, inputs);
    Section end = sections.getLast();
    long bytes = end.offset() + KeptFormats.bytes(end.type(), end.outputs(), inputs);
    DeviceMemory memory = device.allocate(bytes, "the weight " + parts.getFirst().name());
    try {
      memory.fill(0, 0, bytes, device.stream); // last tiles may have rows to spare
      DeviceMemory marks = marks();
      int first = 0;
      for (int i = 0; i < parts.size(); i++) {
        pack(parts.get(i), sections, first, memory, marks, i + 1);
        first += parts.get(i).rows();
      }
      checkMarks(parts, marks);
    } catch (Throwable e) {
      Owned.close(memory, e);
      throw e;
    }
    return new CudaMatrix(outputs, inputs, memory, sections);
  }

  private static List<Section> sections(List<WeightTensor> parts, int inputs) {
    List<Section> sections = new ArrayList<>();
    int first = 0;
    long offset = 0;
    for (int i = 0; i < parts.size(); ) {
      DType type = parts.get(i).type();
      int rows = 0;
      for (; i < parts.size() && parts.get(i).type() == type; i++) {
        rows += parts.get(i).rows();
      }
      sections.add(new Section(type, first, rows, offset));
      first += rows;
      offset += KeptFormats.bytes(type, rows, inputs);
    }
    return sections;
  }

  /** {@code first}: the part's first row in the whole weight. */
  private void pack(
      WeightTensor part,
      List<Section> sections,
      int first,
      DeviceMemory memory,
      @Nullable DeviceMemory marks,
      int mark) {
    Section own = sections.getFirst();
    for (Section section : sections) {
      own = section.first() <= first ? section : own;
    }
    int begin = first - own.first();
    QuantisedRows.Packer packer =
        quantised.packer(part.type(), part.columns(), memory, own.offset());
    inParts(part, (raw, row, count) -> packer.pack(raw, begin + row, count, marks, mark));
  }

  /** Memory for a weight that is not quantised, the padding of its rows zeros. */
  static DeviceMemory allocate(CudaDevice device, int outputs, int inputs, String name) {
    int stride = CudaMatrix.stride(inputs);
    DeviceMemory memory =
        device.allocate((long) outputs * stride * valueBytes(device), "the weight " + name);
    if (stride > inputs) {
      device.zero(memory);
    }
    return memory;
  }

  /** Where kernels leave the number of a part that fp16 cannot hold; null if all types can. */
  private @Nullable DeviceMemory marks() {
    if (device.products != MatrixProduct.Type.F16) {
      return null;
    }
    if (beyond == null) {
      beyond = device.allocate(Integer.BYTES, "the upload of weights");
    }
    beyond.fill(0, 0, Integer.BYTES, device.stream);
    return beyond;
  }

  private void checkMarks(List<WeightTensor> parts, @Nullable DeviceMemory marks) {
    if (marks == null || parts.stream().allMatch(part -> part.type() == DType.F16)) {
      return; // not even a wait
    }
    int[] mark = new int[1];
    device.staging.receive(marks, mark, 1);
    if (mark[0] > 0) {
      throw new InvalidRequestException(
          "weight %s has values beyond 65504, which fp16 cannot hold: take --precision bf16"
              .formatted(parts.get(mark[0] - 1).name()));
    }
  }

  /** Bytes of a value of such a weight. */
  static int valueBytes(CudaDevice device) {
    return device.products == MatrixProduct.Type.F32 ? 4 : 2;
  }

  private void send(
      WeightTensor part,
      DeviceMemory target,
      long offset,
      int stride,
      @Nullable DeviceMemory marks,
      int mark) {
    Kernel kernel = kernel(part.type());
    inParts(
        part,
        (raw, row, count) -> {
          long values = (long) count * part.columns();
          kernel
              .call()
              .with(raw)
              .with(values)
              .with(part.columns())
              .with(target, offset + (long) row * stride * valueBytes(device))
              .with(stride)
              .with(marks)
              .with(mark)
              .launch(device.stream, blocks(values), 1, THREADS, 0);
        });
  }

  /** Works on rows that are in {@code raw} as they lie in their file. */
  private interface Rows {
    void work(DeviceMemory raw, int first, int count);
  }

  /** Sends a tensor some rows at a time. */
  private void inParts(WeightTensor part, Rows rows) {
    DeviceMemory to = raw;
    if (to == null) {
      to = device.allocate(PART_BYTES, "the upload of weights");
      raw = to;
    }
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
      device.staging.send(at, to, 0, bytes);
      rows.work(to, row, count);
    }
  }

  /** Blocks of threads for so many values. */
  static int blocks(long values) {
    return (int) Math.min((values + THREADS - 1) / THREADS, 1 << 14);
  }

  private Kernel kernel(DType type) {
    return kernels.computeIfAbsent(
        type,
        t ->
            device
                .kernels
                .module("dequantise.cu", device.productConstant())
                .kernel("dequantise_" + t.name().toLowerCase(Locale.ROOT), 7));
  }

  @Override
  public void close() {
    device.release(raw, beyond);
  }
}
