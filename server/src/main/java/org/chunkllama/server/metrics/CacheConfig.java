package org.chunkllama.server.metrics;

import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import org.chunkllama.prefix.TreeSnapshot;

/** {@code vllm:cache_config_info}: what the pool is, as labels of a constant. */
final class CacheConfig {
  private CacheConfig() {}

  static void register(PrometheusRegistry registry, TreeSnapshot tree) {
    Gauge.builder()
        .name("vllm:cache_config_info")
        .help("The KV pool: chunks, called blocks, and their tokens.")
        .labelNames("block_size", "num_gpu_blocks")
        .register(registry)
        .labelValues(Integer.toString(tree.chunkTokens()), Integer.toString(tree.chunksTotal()))
        .set(1);
  }
}
