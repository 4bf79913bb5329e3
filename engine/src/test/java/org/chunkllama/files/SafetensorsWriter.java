package org.chunkllama.files;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.StringJoiner;

/** Writes safetensors files. */
final class SafetensorsWriter {
  private final StringJoiner header = new StringJoiner(",", "{", "}");
  private final ByteArrayOutputStream data = new ByteArrayOutputStream();
  final List<String> names = new ArrayList<>();

  SafetensorsWriter() {
    header.add("\"__metadata__\":{\"format\":\"pt\"}");
  }

  SafetensorsWriter tensor(String name, String dtype, List<Integer> shape, byte[] values) {
    int begin = data.size();
    data.writeBytes(values);
    header.add(
        "\""
            + name
            + "\":{\"dtype\":\""
            + dtype
            + "\",\"shape\":"
            + shape
            + ",\"data_offsets\":["
            + begin
            + ","
            + data.size()
            + "]}");
    names.add(name);
    return this;
  }

  byte[] bytes() {
    return bytes(header.toString(), data.toByteArray());
  }

  /** A file with any header. */
  static byte[] bytes(String header, byte[] data) {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(8 + json.length + data.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(json.length)
        .put(json)
        .put(data)
        .array();
  }
}
