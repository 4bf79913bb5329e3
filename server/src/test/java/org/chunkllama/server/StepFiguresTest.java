package org.chunkllama.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Where a step's time goes is told. */
class StepFiguresTest {
  @Test
  void phasesAddUpToNoMoreThanTheSteps() {
    try (TestServer server = new TestServer()) {
      server.json("/v1/completions", TestServer.completion("Once", Map.of("max_tokens", 40)));
      String metrics = server.get("/metrics").body();
      double model = value(metrics, "chunkllama_model_seconds_total");
      double phases =
          model
              + value(metrics, "chunkllama_plan_seconds_total")
              + value(metrics, "chunkllama_output_seconds_total");
      double steps =
          value(metrics, "chunkllama_prefill_seconds_total")
              + value(metrics, "chunkllama_decode_seconds_total");
      assertThat(model).isPositive();
      assertThat(phases).isBetween(model, steps * 1.01);
    }
  }

  /** Under vLLM's names what vLLM has, under our own the rest. */
  @Test
  void figuresHaveTheirNames() {
    try (TestServer server = new TestServer()) {
      String twice = "It was a dark and stormy night, and nobody was out in the street. ".repeat(2);
      for (int i = 0; i < 2; i++) {
        server.json("/v1/completions", TestServer.completion(twice, Map.of("n", 2)));
      }
      String metrics = server.get("/metrics").body();
      for (String name :
          List.of(
              "vllm:num_requests_running",
              "vllm:num_requests_waiting",
              "vllm:kv_cache_usage_perc",
              "vllm:num_preemptions_total",
              "chunkllama_chunks_shared",
              "chunkllama_rows_per_shared_chunk",
              "chunkllama_kv_bytes_saved",
              "chunkllama_chunks_evicted_total",
              "chunkllama_deadlines_total")) {
        assertThat(value(metrics, name)).as(name).isZero();
      }
      for (String name :
          List.of(
              "vllm:prompt_tokens_total",
              "vllm:generation_tokens_total",
              "vllm:prefix_cache_queries_total",
              "vllm:prefix_cache_hits_total",
              "vllm:time_to_first_token_seconds_count",
              "vllm:request_time_per_output_token_seconds_count",
              "vllm:e2e_request_latency_seconds_count",
              "vllm:cache_config_info",
              "chunkllama_chunks_free",
              "chunkllama_chunks_retained",
              "chunkllama_steps_total")) {
        assertThat(value(metrics, name)).as(name).isPositive();
      }
    }
  }

  private static double value(String metrics, String name) {
    return metrics
        .lines()
        .filter(line -> line.startsWith(name + "{"))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .findFirst()
        .orElseThrow();
  }
}
