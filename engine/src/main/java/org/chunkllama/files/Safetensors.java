package org.chunkllama.files;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.chunkllama.error.UnsupportedModelException;
import org.chunkllama.spi.DType;

/**
 * One safetensors file: eight bytes of header length, a JSON header, then the values without holes.
 */
final class Safetensors {
  private static final long MAX_HEADER_BYTES = 16L << 20;
  private static final int MAX_DIMENSIONS = 8;
  private static final String METADATA = "__metadata__";

  private record Entry(String name, DType type, long[] shape, long begin, long end) {}

  private final MemorySegment bytes;
  private final String file;

  private Safetensors(MemorySegment bytes, String file) {
    this.bytes = bytes;
    this.file = file;
  }

  /**
   * Tensors in the order of their values; slices of {@code bytes}.
   *
   * @param file for messages
   */
  static List<StoredTensor> read(MemorySegment bytes, String file) {
    return new Safetensors(bytes, file).read();
  }

  private List<StoredTensor> read() {
    Fields header = readHeader();
    long start = headerBytes() + Long.BYTES;
    List<Entry> entries = new ArrayList<>();
    for (String name : header.keys()) {
      if (!name.equals(METADATA)) {
        entries.add(entry(name, header.object(name).orElseThrow(() -> notATensor(name))));
      }
    }
    entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
    checkPlacement(entries, bytes.byteSize() - start);
    List<StoredTensor> tensors = new ArrayList<>();
    for (Entry entry : entries) {
      MemorySegment data = bytes.asSlice(start + entry.begin, entry.end - entry.begin);
      tensors.add(new StoredTensor(entry.name, entry.type, entry.shape, data));
    }
    return tensors;
  }

  private long headerBytes() {
    return bytes.get(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0);
  }

  private Fields readHeader() {
    if (bytes.byteSize() < Long.BYTES) {
      throw Untrusted.damaged(file, "it has only " + bytes.byteSize() + " bytes");
    }
    long length = headerBytes();
    if (length < 2 || length > bytes.byteSize() - Long.BYTES || length > MAX_HEADER_BYTES) {
      throw Untrusted.damaged(
          file,
          "it states a header of "
              + Long.toUnsignedString(length)
              + " bytes, of "
              + bytes.byteSize()
              + " in all");
    }
    return Json.parse(
        bytes.asSlice(Long.BYTES, length).toArray(ValueLayout.JAVA_BYTE), file + " (header)");
  }

  private Entry entry(String name, Fields fields) {
    String what = "tensor " + Untrusted.quote(name);
    DType type = type(what, fields.string("dtype"));
    long[] shape = longs(what, fields, "shape");
    long[] range = longs(what, fields, "data_offsets");
    if (range.length != 2 || shape.length > MAX_DIMENSIONS) {
      throw Untrusted.damaged(
          file, what + " states " + shape.length + " dimensions and " + range.length + " offsets");
    }
    if (shape.length == 0) {
      shape = new long[] {1}; // a scalar
    }
    long values = 1;
    for (long extent : shape) {
      if (extent < 1 || values > bytes.byteSize() / extent) {
        throw Untrusted.damaged(
            file,
            what + " states shape " + Arrays.toString(shape) + ", which the file cannot hold");
      }
      values *= extent;
    }
    if (range[0] < 0 || range[1] < range[0] || range[1] - range[0] != type.bytes(values)) {
      throw Untrusted.damaged(
          file,
          what
              + " of shape "
              + Arrays.toString(shape)
              + " cannot be the bytes "
              + range[0]
              + " to "
              + range[1]);
    }
    return new Entry(name, type, shape, range[0], range[1]);
  }

  private DType type(String what, String dtype) {
    return switch (dtype) {
      case "F32" -> DType.F32;
      case "F16" -> DType.F16;
      case "BF16" -> DType.BF16;
      default ->
          throw new UnsupportedModelException(
              file
                  + ": "
                  + what
                  + " is stored as "
                  + Untrusted.quote(dtype)
                  + ", which is not read; use a model in F32, F16 or BF16, or a GGUF file");
    };
  }

  private long[] longs(String what, Fields fields, String key) {
    if (!fields.has(key)) {
      throw Untrusted.damaged(file, what + " states no " + key);
    }
    List<?> list = fields.list(key);
    long[] numbers = new long[list.size()];
    for (int i = 0; i < numbers.length; i++) {
      if (!(list.get(i) instanceof Long number)) {
        throw Untrusted.damaged(file, what + ": " + key + " is not a list of integers");
      }
      numbers[i] = number;
    }
    return numbers;
  }

  // The format allows no holes: what is left over betrays another header or a cut file.
  private void checkPlacement(List<Entry> entries, long room) {
    long end = 0;
    for (Entry entry : entries) {
      String what = "tensor " + Untrusted.quote(entry.name);
      if (entry.end > room) {
        throw Untrusted.damaged(file, what + " reaches beyond the end of the file");
      }
      if (entry.begin < end) {
        throw Untrusted.damaged(file, what + " overlaps another tensor");
      }
      if (entry.begin > end) {
        throw Untrusted.damaged(file, "no tensor fills the bytes before " + what);
      }
      end = entry.end;
    }
    if (end != room) {
      throw Untrusted.damaged(file, room - end + " bytes follow the last tensor");
    }
  }

  private RuntimeException notATensor(String name) {
    return Untrusted.damaged(file, Untrusted.quote(name) + " is not a tensor");
  }
}
