package org.chunkllama.text;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The metadata of a sound GGUF file, as much of it as tokenizers need. */
final class GgufMetadata {
  private final ByteBuffer in;
  private final boolean wide;
  private final Map<String, Object> values = new HashMap<>();

  GgufMetadata(Path file) {
    try (var channel = FileChannel.open(file, StandardOpenOption.READ)) {
      in = channel.map(FileChannel.MapMode.READ_ONLY, 0, Math.min(channel.size(), 1 << 30));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    in.order(ByteOrder.LITTLE_ENDIAN);
    in.getInt(); // magic
    wide = in.getInt() > 1;
    size(); // tensors
    for (long left = size(); left > 0; left--) {
      String key = string();
      values.put(key, value(in.getInt()));
    }
  }

  @Nullable String text(String key) {
    return (String) values.get(key);
  }

  TokenizerSpec.Gguf tokenizer() {
    List<String> tokens = list("tokens");
    String model = Objects.requireNonNull(text("tokenizer.ggml.model"));
    boolean llama = model.equals("llama");
    return new TokenizerSpec.Gguf(
        model,
        text("tokenizer.ggml.pre"),
        tokens,
        floats(this.<Float>list("scores")),
        ints(this.<Integer>list("token_type")),
        list("merges"),
        id("bos_token_id"),
        id("eos_token_id") < 0 ? List.of() : List.of(id("eos_token_id")),
        id("unknown_token_id"),
        (Boolean) values.getOrDefault("tokenizer.ggml.add_bos_token", llama),
        (Boolean) values.getOrDefault("tokenizer.ggml.add_eos_token", false),
        (Boolean) values.getOrDefault("tokenizer.ggml.add_space_prefix", llama));
  }

  private int id(String key) {
    return ((Number) values.getOrDefault("tokenizer.ggml." + key, -1)).intValue();
  }

  @SuppressWarnings("unchecked")
  private <T> List<T> list(String key) {
    return (List<T>) values.getOrDefault("tokenizer.ggml." + key, List.of());
  }

  private static float[] floats(List<Float> list) {
    float[] floats = new float[list.size()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = list.get(i);
    }
    return floats;
  }

  private static int[] ints(List<Integer> list) {
    return list.stream().mapToInt(i -> i).toArray();
  }

  private long size() {
    return wide ? in.getLong() : in.getInt();
  }

  private String string() {
    byte[] bytes = new byte[Math.toIntExact(size())];
    in.get(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private Object value(int type) {
    return switch (type) {
      case 0, 1 -> (int) in.get();
      case 2, 3 -> (int) in.getShort();
      case 4, 5 -> in.getInt();
      case 6 -> in.getFloat();
      case 7 -> in.get() != 0;
      case 8 -> string();
      case 9 -> {
        int element = in.getInt();
        var list = new ArrayList<Object>();
        for (long left = size(); left > 0; left--) {
          list.add(value(element));
        }
        yield list;
      }
      case 10, 11 -> in.getLong();
      case 12 -> in.getDouble();
      default -> throw new IllegalStateException("type " + type);
    };
  }
}
