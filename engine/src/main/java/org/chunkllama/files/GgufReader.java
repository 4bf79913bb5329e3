package org.chunkllama.files;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.chunkllama.error.ModelFileException;
import org.chunkllama.error.UnsupportedModelException;
import org.chunkllama.spi.DType;
import org.jspecify.annotations.Nullable;

/**
 * GGUF v1, v2 and v3, little-endian: header, metadata, tensor table. Nothing the file says is used
 * before it is checked against the file's size.
 */
final class GgufReader {
  private static final int MAGIC = 0x46554747; // "GGUF"
  private static final int MAX_DIMENSIONS = 4;
  private static final int MAX_ARRAY_DEPTH = 4;
  private static final int DEFAULT_ALIGNMENT = 32;
  private static final int MAX_ALIGNMENT = 1 << 20;

  /** What a file holds. */
  record Contents(Fields metadata, List<StoredTensor> tensors) {}

  private record Entry(String name, DType type, long[] shape, long offset, long bytes) {}

  private final MemorySegment bytes;
  private final String file;
  private final GgufCursor in;

  private GgufReader(MemorySegment bytes, String file) {
    this.bytes = bytes;
    this.file = file;
    this.in = new GgufCursor(bytes, file);
  }

  /**
   * Reads a whole file's header; tensors are slices of {@code bytes}.
   *
   * @param file for messages
   */
  static Contents read(MemorySegment bytes, String file) {
    return new GgufReader(bytes, file).read();
  }

  /** True if {@code bytes} begin as a GGUF file does. */
  static boolean looksLikeGguf(MemorySegment bytes) {
    return bytes.byteSize() >= 4 && new GgufCursor(bytes, "").uint32("magic") == MAGIC;
  }

  private Contents read() {
    readVersion();
    int tensorCount = in.count("the tensor count", 1);
    int keyCount = in.count("the metadata count", 1);
    Fields metadata = readMetadata(keyCount);
    List<Entry> entries = readTensorTable(tensorCount);
    int alignment = alignment(metadata);
    long start = (in.at() + alignment - 1) / alignment * alignment;
    checkPlacement(entries, start, alignment);
    List<StoredTensor> tensors = new ArrayList<>();
    for (Entry entry : entries) {
      tensors.add(
          new StoredTensor(
              entry.name,
              entry.type,
              entry.shape,
              bytes.asSlice(start + entry.offset, entry.bytes)));
    }
    return new Contents(metadata, tensors);
  }

  private void readVersion() {
    if (!looksLikeGguf(bytes)) {
      throw new ModelFileException(
          file + " is not a GGUF file; give a .gguf file or a Hugging Face folder");
    }
    in.uint32("the magic number");
    long version = in.uint32("the version");
    if (version != 0 && (version & 0xffff) == 0) {
      throw new UnsupportedModelException(
          file + " is a big-endian GGUF file; convert it again for little-endian machines");
    }
    if (version < 1 || version > 3) {
      throw new UnsupportedModelException(
          file + " is GGUF version " + version + "; versions 1 to 3 are read, convert it again");
    }
    in.wide(version > 1);
  }

  private Fields readMetadata(int keyCount) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    for (int i = 0; i < keyCount; i++) {
      String key = in.text("a metadata key");
      String what = "metadata " + Untrusted.quote(key);
      Object value = readValue(in.uint32(what), what, 0);
      if (values.put(key, value) != null) {
        throw Untrusted.damaged(file, what + " comes twice");
      }
    }
    return new Fields(file, values);
  }

  private Object readValue(long type, String what, int depth) {
    return switch ((int) type) {
      case 6 -> in.float32(what);
      case 7 -> in.int8(what) != 0;
      case 8 -> in.text(what);
      case 9 -> readArray(what, depth + 1);
      case 12 -> in.float64(what);
      default -> readInteger(type, what);
    };
  }

  private long readInteger(long type, String what) {
    return switch ((int) type) {
      case 0 -> in.uint8(what);
      case 1 -> in.int8(what);
      case 2 -> in.uint16(what);
      case 3 -> in.int16(what);
      case 4 -> in.uint32(what);
      case 5 -> in.int32(what);
      case 10, 11 -> in.int64(what);
      default -> throw Untrusted.damaged(file, what + " has unknown value type " + type);
    };
  }

  private Object readArray(String what, int depth) {
    if (depth > MAX_ARRAY_DEPTH) {
      throw Untrusted.damaged(file, what + " nests arrays too deeply");
    }
    long type = in.uint32(what);
    int least =
        switch ((int) type) {
          case 0, 1, 7 -> 1;
          case 2, 3 -> 2;
          case 4, 5, 6 -> 4;
          case 8 -> in.textLeastBytes();
          case 9 -> 4 + in.textLeastBytes();
          case 10, 11, 12 -> 8;
          default -> throw Untrusted.damaged(file, what + " has unknown element type " + type);
        };
    int count = in.count(what, least);
    return switch ((int) type) {
      case 6, 12 -> readReals(type, count, what);
      case 7, 8, 9 -> readObjects(type, count, what, depth);
      default -> readIntegers(type, count, what);
    };
  }

  private long[] readIntegers(long type, int count, String what) {
    long[] array = new long[count];
    for (int i = 0; i < count; i++) {
      array[i] = readInteger(type, what);
    }
    return array;
  }

  private double[] readReals(long type, int count, String what) {
    double[] array = new double[count];
    for (int i = 0; i < count; i++) {
      array[i] = type == 6 ? in.float32(what) : in.float64(what);
    }
    return array;
  }

  private List<Object> readObjects(long type, int count, String what, int depth) {
    List<Object> list = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      list.add(readValue(type, what, depth));
    }
    return list;
  }

  private List<Entry> readTensorTable(int count) {
    List<Entry> entries = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (int i = 0; i < count; i++) {
      Entry entry = readTensor();
      if (!names.add(entry.name)) {
        throw Untrusted.damaged(file, "tensor " + Untrusted.quote(entry.name) + " comes twice");
      }
      entries.add(entry);
    }
    return entries;
  }

  private Entry readTensor() {
    String name = in.text("a tensor's name");
    String what = "tensor " + Untrusted.quote(name);
    long dimensions = in.uint32(what);
    if (dimensions < 1 || dimensions > MAX_DIMENSIONS) {
      throw Untrusted.damaged(file, what + " states " + dimensions + " dimensions");
    }
    long[] shape = new long[(int) dimensions];
    for (int i = shape.length - 1; i >= 0; i--) { // stored innermost first
      shape[i] = in.size(what);
    }
    long typeNumber = in.uint32(what);
    long offset = in.uint64(what);
    DType type =
        GgufType.of(typeNumber)
            .orElseThrow(() ->
                new UnsupportedModelException(
                    file
                        + ": "
                        + what
                        + " is stored as type "
                        + GgufType.name(typeNumber)
                        + ", which is not read; use a file in F32, F16, BF16, Q8_0, Q4_0,"
                        + " Q4_1, Q4_K, Q5_K or Q6_K"));
    return new Entry(name, type, shape, offset, bytes(what, shape, type));
  }

  private long bytes(String what, long[] shape, DType type) {
    long values = 1;
    for (long extent : shape) {
      // Quantised types store at least 4 bits a value: more values than that cannot be in the file.
      if (extent < 1 || values > bytes.byteSize() * 2 / extent) {
        throw Untrusted.damaged(
            file,
            what + " states shape " + Arrays.toString(shape) + ", which the file cannot hold");
      }
      values *= extent;
    }
    if (values % type.blockValues() != 0) {
      throw Untrusted.damaged(
          file, what + " of shape " + Arrays.toString(shape) + " does not fill blocks of " + type);
    }
    return type.bytes(values);
  }

  private int alignment(Fields metadata) {
    int alignment = metadata.integer("general.alignment", 1, MAX_ALIGNMENT, DEFAULT_ALIGNMENT);
    if (Integer.bitCount(alignment) != 1) {
      throw Untrusted.damaged(file, "general.alignment is " + alignment + ", not a power of two");
    }
    return alignment;
  }

  private void checkPlacement(List<Entry> entries, long start, int alignment) {
    List<Entry> placed = new ArrayList<>(entries);
    placed.sort(Comparator.comparingLong(Entry::offset));
    long room = bytes.byteSize() - start;
    long end = 0;
    for (Entry entry : placed) {
      String what = "tensor " + Untrusted.quote(entry.name);
      if (entry.offset % alignment != 0) {
        throw Untrusted.damaged(
            file, what + " begins at " + entry.offset + ", not a multiple of " + alignment);
      }
      if (entry.offset > room || entry.bytes > room - entry.offset) {
        throw Untrusted.damaged(file, what + " reaches beyond the end of the file");
      }
      if (entry.offset < end) {
        throw Untrusted.damaged(file, what + " overlaps another tensor");
      }
      end = entry.offset + entry.bytes;
    }
  }
}
