package org.chunkllama.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.SplittableRandom;
import org.chunkllama.model.ModelConfig;
import org.chunkllama.model.WeightSource;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.WeightTensor;

/**
 * Random weights for a configuration, to measure speed without a model file. Every tensor is a
 * piece of one block of bf16 numbers, so that a model of any depth needs the memory of its largest
 * tensor alone; norms are ones.
 */
final class RandomWeights implements WeightSource, AutoCloseable {
  private static final float SPREAD = 0.035f; // uniform: standard deviation 0.02
  private static final int PATTERN = 1 << 22; // values that differ; then they repeat
  private static final short ONE = 0x3f80; // in bf16

  private final ModelConfig config;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment block;
  private final MemorySegment ones;

  RandomWeights(ModelConfig config) {
    this.config = config;
    int widest = Math.max(config.vocabulary(), config.feedForward());
    long values = (long) widest * config.hidden() + PATTERN;
    block = arena.allocate(values * Short.BYTES, 64);
    ones = arena.allocate((long) config.hidden() * Short.BYTES, 64);
    SplittableRandom random = new SplittableRandom(1);
    for (long i = 0; i < Math.min(values, PATTERN); i++) {
      float value = (float) random.nextDouble(-SPREAD, SPREAD);
      block.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) (Float.floatToRawIntBits(value) >>> 16));
    }
    for (long at = PATTERN; at < values; at += PATTERN) {
      long count = Math.min(PATTERN, values - at);
      MemorySegment.copy(block, 0, block, at * Short.BYTES, count * Short.BYTES);
    }
    for (long i = 0; i < config.hidden(); i++) {
      ones.setAtIndex(ValueLayout.JAVA_SHORT, i, ONE);
    }
  }

  @Override
  public Optional<WeightTensor> find(String name) {
    int hidden = config.hidden();
    int queries = config.heads() * config.headDim();
    int keys = config.kvHeads() * config.headDim();
    int wide = config.feedForward();
    return Optional.of(
        switch (name.substring(name.lastIndexOf('.', name.length() - 8) + 1)) {
          case "token_embd.weight", "output.weight" -> tensor(name, config.vocabulary(), hidden);
          case "attn_q.weight" -> tensor(name, queries, hidden);
          case "attn_k.weight", "attn_v.weight" -> tensor(name, keys, hidden);
          case "attn_output.weight" -> tensor(name, hidden, queries);
          case "ffn_gate.weight", "ffn_up.weight" -> tensor(name, wide, hidden);
          case "ffn_down.weight" -> tensor(name, hidden, wide);
          default ->
              new WeightTensor(
                  name, DType.BF16, 1, hidden, ones.asSlice(0, (long) hidden * Short.BYTES));
        });
  }

  private WeightTensor tensor(String name, int rows, int columns) {
    // Another begin for another name: no two layers are alike.
    long first = Math.floorMod(name.hashCode(), PATTERN / 64) * 64L;
    long bytes = (long) rows * columns * Short.BYTES;
    return new WeightTensor(
        name, DType.BF16, rows, columns, block.asSlice(first * Short.BYTES, bytes));
  }

  @Override
  public void close() {
    arena.close();
  }
}
