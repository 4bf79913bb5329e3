package org.chunkllama.server.metrics;

import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.Locale;
import org.chunkllama.Completion;
import org.chunkllama.GenerationResult;

/** Figures of finished requests, under vLLM's names; times in seconds. */
public final class GenerationFigures {
  private static final double[] FIRST_TOKEN = {
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40,
    80, 160, 640
  };
  private static final double[] NEXT_TOKEN = {
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5,
    10, 40
  };
  private static final double[] WHOLE = {
    0.03, 0.1, 0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960
  };
  private static final double[] TOKENS = {
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000
  };

  private final String model;
  private final PrometheusRegistry registry;
  private final Histogram firstToken;
  private final Histogram betweenTokens;
  private final Histogram perToken;
  private final Histogram perTokenOfRequest;
  private final Histogram wholeRequest;
  private final Histogram promptTokens;
  private final Histogram generatedTokens;
  private final Counter success;

  GenerationFigures(String model, PrometheusRegistry registry) {
    this.model = model;
    this.registry = registry;
    firstToken =
        histogram("vllm:time_to_first_token_seconds", "Submission to first token.", FIRST_TOKEN);
    betweenTokens =
        histogram("vllm:inter_token_latency_seconds", "Between two tokens.", NEXT_TOKEN);
    perToken = histogram("vllm:time_per_output_token_seconds", "Between two tokens.", NEXT_TOKEN);
    perTokenOfRequest =
        histogram(
            "vllm:request_time_per_output_token_seconds",
            "After the first token, mean over a request.",
            NEXT_TOKEN);
    wholeRequest =
        histogram("vllm:e2e_request_latency_seconds", "Submission to last token.", WHOLE);
    promptTokens = histogram("vllm:request_prompt_tokens", "Of a request's prompt.", TOKENS);
    generatedTokens =
        histogram("vllm:request_generation_tokens", "Of a request's answers.", TOKENS);
    success =
        Counter.builder()
            .name("vllm:request_success")
            .help("Completions, by how they ended.")
            .labelNames("model_name", "finished_reason")
            .register(registry);
  }

  private Histogram histogram(String name, String help, double[] bounds) {
    return Histogram.builder()
        .name(name)
        .help(help)
        .labelNames("model_name")
        .classicOnly()
        .classicUpperBounds(bounds)
        .register(registry);
  }

  /** Time between two tokens of one request. */
  public void betweenTokens(long nanos) {
    betweenTokens.labelValues(model).observe(nanos / 1e9);
    perToken.labelValues(model).observe(nanos / 1e9);
  }

  /** A request is done. */
  public void finished(GenerationResult result) {
    int tokens = result.generatedTokens();
    firstToken.labelValues(model).observe(result.ttftNanos() / 1e9);
    wholeRequest.labelValues(model).observe(result.nanos() / 1e9);
    promptTokens.labelValues(model).observe(result.promptTokenIds().length);
    generatedTokens.labelValues(model).observe(tokens);
    int steps = tokens / result.completions().size() - 1;
    if (steps > 0) {
      perTokenOfRequest
          .labelValues(model)
          .observe((result.nanos() - result.ttftNanos()) / 1e9 / steps);
    }
    for (Completion completion : result.completions()) {
      String reason = completion.finishReason().name().toLowerCase(Locale.ROOT);
      success.labelValues(model, reason).inc();
    }
  }
}
