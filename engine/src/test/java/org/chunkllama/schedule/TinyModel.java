package org.chunkllama.schedule;

import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.chunkllama.model.ModelConfig;
import org.chunkllama.model.RopeScaling;
import org.chunkllama.model.WeightSource;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.RotaryTable;
import org.chunkllama.spi.WeightTensor;

/** Random weights of a two-layer Llama, made on demand. */
final class TinyModel implements WeightSource {
  static final ModelConfig CONFIG =
      new ModelConfig(
          "llama",
          2,
          32,
          4,
          2,
          8,
          48,
          64,
          512,
          1e-5f,
          10_000,
          8,
          new RopeScaling.None(),
          RotaryTable.Layout.SPLIT_HALVES,
          false,
          false,
          false,
          false);

  private final Map<String, WeightTensor> weights = new HashMap<>();

  @Override
  public Optional<WeightTensor> find(String name) {
    return Optional.of(weights.computeIfAbsent(name, TinyModel::make));
  }

  private static WeightTensor make(String name) {
    String kind = name.replaceAll("blk\\.\\d+\\.", "");
    int rows =
        switch (kind) {
          case "token_embd.weight", "output.weight" -> 64;
          case "attn_q.weight", "attn_output.weight", "ffn_down.weight" -> 32;
          case "attn_k.weight", "attn_v.weight" -> 16;
          case "ffn_gate.weight", "ffn_up.weight" -> 48;
          default -> 1;
        };
    int columns = kind.equals("ffn_down.weight") ? 48 : 32;
    Random random = new Random(name.hashCode());
    float[] values = new float[rows * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          rows == 1
              ? 1 + 0.1f * (float) random.nextGaussian()
              : (float) (1.5 * random.nextGaussian() / Math.sqrt(columns));
    }
    byte[] bytes = new byte[4 * values.length];
    MemorySegment data = MemorySegment.ofArray(bytes);
    for (int i = 0; i < values.length; i++) {
      data.set(java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * i, values[i]);
    }
    return new WeightTensor(name, DType.F32, rows, columns, data);
  }
}
