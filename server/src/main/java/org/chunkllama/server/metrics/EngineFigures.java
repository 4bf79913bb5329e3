package org.chunkllama.server.metrics;

import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.function.ToDoubleFunction;
import org.chunkllama.Llm;
import org.chunkllama.LlmStats;

/** Figures of the engine, taken once for each reading of all. */
final class EngineFigures {
  private final String model;
  private final Llm llm;
  private final PrometheusRegistry registry;
  private volatile LlmStats stats;

  EngineFigures(String model, Llm llm, PrometheusRegistry registry) {
    this.model = model;
    this.llm = llm;
    this.registry = registry;
    this.stats = llm.stats();
    CacheConfig.register(registry, llm.tree(false));
    gauge("vllm:num_requests_running", "Sequences in the batch.", LlmStats::running);
    gauge("vllm:num_requests_waiting", "Requests not yet admitted.", LlmStats::waiting);
    counter("vllm:prompt_tokens", "Tokens of prompts.", LlmStats::promptTokens);
    counter("vllm:generation_tokens", "Generated tokens.", LlmStats::generatedTokens);
    gauge("vllm:kv_cache_usage_perc", "Part of the pool in use, 0 to 1.", LlmStats::kvUsage);
    counter("vllm:prefix_cache_queries", "Tokens looked up.", LlmStats::prefixTokensQueried);
    counter("vllm:prefix_cache_hits", "Tokens found.", LlmStats::prefixTokensHit);
    counter("vllm:num_preemptions", "Sequences thrown out for room.", LlmStats::preemptions);
    gauge("chunkllama_chunks_free", "Chunks of the pool nobody holds.", LlmStats::chunksFree);
    gauge("chunkllama_chunks_live", "Chunks that requests use.", LlmStats::chunksLive);
    gauge(
        "chunkllama_chunks_retained", "Chunks kept for later requests.", LlmStats::chunksRetained);
    gauge("chunkllama_chunks_shared", "Chunks that two or more rows read.", LlmStats::chunksShared);
    gauge("chunkllama_rows_per_shared_chunk", "Mean over them.", LlmStats::rowsPerSharedChunk);
    gauge(
        "chunkllama_kv_bytes_saved", "What sharing saves at this moment.", LlmStats::kvBytesSaved);
    counter(
        "chunkllama_chunks_evicted", "Retained chunks given to others.", LlmStats::chunksEvicted);
    counter("chunkllama_deadlines", "Requests whose own time was over.", LlmStats::deadlines);
    counter("chunkllama_steps", "Model steps.", LlmStats::steps);
    counter(
        "chunkllama_recomputed_tokens",
        "Tokens computed again after preemption.",
        LlmStats::recomputedTokens);
    counter("chunkllama_prefill_seconds", "Time in steps, prompts.", s -> s.prefillNanos() / 1e9);
    counter("chunkllama_decode_seconds", "Time in steps, answers.", s -> s.decodeNanos() / 1e9);
    counter("chunkllama_plan_seconds", "Time in steps, scheduling.", s -> s.planNanos() / 1e9);
    counter("chunkllama_model_seconds", "Time in steps, forward pass.", s -> s.modelNanos() / 1e9);
    counter("chunkllama_output_seconds", "Time in steps, drawing.", s -> s.outputNanos() / 1e9);
    counter(
        "chunkllama_gap_seconds",
        "Time from a step's tokens to the next step's forward pass.",
        s -> s.gapNanos() / 1e9);
    gauge(
        "chunkllama_kv_bytes_peak", "Most bytes of keys and values in use.", LlmStats::kvBytesPeak);
    gauge(
        "chunkllama_kv_bytes_peak_unshared",
        "The same, had nothing been shared.",
        LlmStats::kvBytesPeakUnshared);
  }

  private void gauge(String name, String help, ToDoubleFunction<LlmStats> value) {
    GaugeWithCallback.builder()
        .name(name)
        .help(help)
        .labelNames("model_name")
        .callback(callback -> callback.call(value.applyAsDouble(stats), model))
        .register(registry);
  }

  private void counter(String name, String help, ToDoubleFunction<LlmStats> value) {
    CounterWithCallback.builder()
        .name(name)
        .help(help)
        .labelNames("model_name")
        .callback(callback -> callback.call(value.applyAsDouble(stats), model))
        .register(registry);
  }

  /** Takes the figures of now. */
  void refresh() {
    stats = llm.stats();
  }
}
