package org.chunkllama.cuda;

import java.util.Locale;
import org.chunkllama.spi.KvLayout;

/**
 * What a tuning was measured for.
 *
 * @param gpu as the driver calls it
 * @param architecture of its kernels, such as {@code sm_90a}
 * @param shape {@code KV heads x head dim x group, tokens per chunk, KV type}
 * @param kernel version of the attention kernel's source
 */
record TuningKey(String gpu, String architecture, String shape, String kernel) {
  /** KV heads, head dim and query heads per KV head: what shipped tables go by. */
  static String heads(KvLayout layout, int queryHeads) {
    return "%dx%dx%d".formatted(layout.kvHeads(), layout.headDim(), queryHeads / layout.kvHeads());
  }

  static String shape(KvLayout layout, int queryHeads) {
    return "%s-c%d-%s"
        .formatted(
            heads(layout, queryHeads),
            layout.chunkTokens(),
            layout.type().name().toLowerCase(Locale.ROOT));
  }

  /** Name of the file that keeps its tuning. */
  String file() {
    String plain = gpu.replaceAll("[^A-Za-z0-9]+", "_");
    return "tuning-%s-%s-%s-%s.properties".formatted(plain, architecture, shape, kernel);
  }
}
