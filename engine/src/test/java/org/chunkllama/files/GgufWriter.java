package org.chunkllama.files;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.chunkllama.spi.DType;

/** Writes GGUF files, sound ones unless told otherwise. */
final class GgufWriter {
  private static final Map<DType, Long> TYPE_NUMBERS =
      Map.of(
          DType.F32, 0L,
          DType.F16, 1L,
          DType.Q4_0, 2L,
          DType.Q4_1, 3L,
          DType.Q8_0, 8L,
          DType.Q4_K, 12L,
          DType.Q5_K, 13L,
          DType.Q6_K, 14L,
          DType.BF16, 30L);

  /**
   * @param shape innermost first, as stored
   */
  record Tensor(String name, long type, long[] shape, byte[] data) {}

  /** A value of any type, its bytes as they are to be written. */
  record Raw(int type, byte[] bytes) {}

  /** Offsets that are to be stated instead of the true ones. */
  final Map<String, Long> offsets = new LinkedHashMap<>();

  final Map<String, Object> metadata = new LinkedHashMap<>();
  final List<Tensor> tensors = new ArrayList<>();
  int version = 3;
  int alignment = 32;

  GgufWriter copy() {
    GgufWriter copy = new GgufWriter();
    copy.metadata.putAll(metadata);
    copy.tensors.addAll(tensors);
    copy.offsets.putAll(offsets);
    copy.version = version;
    copy.alignment = alignment;
    return copy;
  }

  GgufWriter put(String key, Object value) {
    metadata.put(key, value);
    return this;
  }

  GgufWriter tensor(String name, DType type, long columns, long rows, byte[] data) {
    long[] shape = rows == 1 ? new long[] {columns} : new long[] {columns, rows};
    tensors.add(new Tensor(name, TYPE_NUMBERS.getOrDefault(type, -1L), shape, data));
    return this;
  }

  byte[] bytes() {
    Sink out = new Sink();
    out.write(new byte[] {'G', 'G', 'U', 'F'});
    out.int32(version);
    out.size(tensors.size());
    out.size(metadata.size());
    metadata.forEach((key, value) -> {
      out.text(key);
      out.int32(typeOf(value));
      out.value(value);
    });
    long offset = 0;
    for (Tensor tensor : tensors) {
      out.text(tensor.name);
      out.int32(tensor.shape.length);
      for (long extent : tensor.shape) {
        out.size(extent);
      }
      out.int32((int) tensor.type);
      out.int64(offsets.getOrDefault(tensor.name, offset));
      offset += Math.ceilDiv((long) tensor.data.length, alignment) * alignment;
    }
    for (Tensor tensor : tensors) {
      out.align();
      out.write(tensor.data);
    }
    return out.bytes.toByteArray();
  }

  private static int typeOf(Object value) {
    return switch (value) {
      case Raw raw -> raw.type;
      case Integer _ -> 4;
      case Float _ -> 6;
      case Boolean _ -> 7;
      case String _ -> 8;
      case Long _ -> 10;
      case List<?> _, int[] _, float[] _ -> 9;
      default -> throw new IllegalArgumentException(value.getClass().getName());
    };
  }

  private final class Sink {
    final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    void write(byte[] data) {
      bytes.writeBytes(data);
    }

    void int32(int value) {
      write(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
    }

    void int64(long value) {
      write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
    }

    void size(long value) {
      if (version == 1) {
        int32((int) value);
      } else {
        int64(value);
      }
    }

    void text(String text) {
      byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
      size(utf8.length);
      write(utf8);
    }

    void align() {
      write(new byte[(alignment - bytes.size() % alignment) % alignment]);
    }

    void value(Object value) {
      switch (value) {
        case Raw raw -> write(raw.bytes);
        case Integer number -> int32(number);
        case Float number -> int32(Float.floatToRawIntBits(number));
        case Boolean flag -> write(new byte[] {(byte) (flag ? 1 : 0)});
        case String text -> text(text);
        case Long number -> int64(number);
        case List<?> list -> {
          int32(list.isEmpty() ? 8 : typeOf(list.getFirst()));
          size(list.size());
          list.forEach(this::value);
        }
        case int[] array -> {
          int32(5);
          size(array.length);
          for (int number : array) {
            int32(number);
          }
        }
        case float[] array -> {
          int32(6);
          size(array.length);
          for (float number : array) {
            int32(Float.floatToRawIntBits(number));
          }
        }
        default -> throw new IllegalArgumentException(value.getClass().getName());
      }
    }
  }
}
