package org.chunkllama.server;

import static org.assertj.core.api.Assertions.assertThat;

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

  private static double value(String metrics, String name) {
    return metrics
        .lines()
        .filter(line -> line.startsWith(name + "{"))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .findFirst()
        .orElseThrow();
  }
}
