package org.chunkllama.contract;

import org.chunkllama.model.ModelConfig;
import org.chunkllama.model.RopeScaling;
import org.chunkllama.spi.RotaryTable;

/**
 * A Llama of two layers, six query heads of 64 and two KV heads, for whole steps with random
 * weights.
 */
public final class SmallLlama {
  private SmallLlama() {}

  /** Its configuration, with room for 512 tokens of a sequence and as many logits as asked for. */
  public static ModelConfig config(int vocabulary) {
    return new ModelConfig(
        "llama",
        2,
        384,
        6,
        2,
        64,
        256,
        vocabulary,
        512,
        1e-5f,
        10_000,
        64,
        new RopeScaling.None(),
        RotaryTable.Layout.SPLIT_HALVES,
        false,
        false,
        false,
        false);
  }
}
