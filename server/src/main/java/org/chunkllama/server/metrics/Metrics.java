package org.chunkllama.server.metrics;

import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.ExpositionFormats;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.function.IntSupplier;
import org.chunkllama.Llm;
import org.chunkllama.server.http.Answered;
import org.chunkllama.server.http.Endpoint;
import org.chunkllama.server.http.Exchange;
import org.jspecify.annotations.Nullable;

/** {@code GET /metrics}, and what is measured for it. */
public final class Metrics implements Endpoint {
  private final PrometheusRegistry registry = new PrometheusRegistry();
  private final ExpositionFormats formats = ExpositionFormats.init();
  private final GenerationFigures generations;
  private final EngineFigures engine;
  private final Counter answers;
  private final Histogram answerSeconds;

  public Metrics(String model, Llm llm) {
    generations = new GenerationFigures(model, registry);
    engine = new EngineFigures(model, llm, registry);
    answers =
        Counter.builder()
            .name("chunkllama_http_requests")
            .help("Answered HTTP requests; status 499: the client was gone.")
            .labelNames("route", "status")
            .register(registry);
    answerSeconds =
        Histogram.builder()
            .name("chunkllama_http_request_seconds")
            .help("From a request's head to the end of its answer.")
            .labelNames("route")
            .classicOnly()
            .classicUpperBounds(0.001, 0.01, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
            .register(registry);
  }

  public GenerationFigures generations() {
    return generations;
  }

  /** A gauge whose value is asked for when it is read. */
  public void gauge(String name, String help, IntSupplier value) {
    GaugeWithCallback.builder()
        .name(name)
        .help(help)
        .callback(callback -> callback.call(value.getAsInt()))
        .register(registry);
  }

  /** An HTTP request was answered. */
  public void answered(Answered answered) {
    answers.labelValues(answered.route(), Integer.toString(answered.status())).inc();
    answerSeconds.labelValues(answered.route()).observe(answered.nanos() / 1e9);
  }

  @Override
  public void handle(Exchange exchange) {
    engine.refresh();
    @Nullable String accept = exchange.header("Accept").orElse(null);
    ExpositionFormatWriter writer = formats.findWriter(accept);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      writer.write(out, registry.scrape());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    exchange.send(200, writer.getContentType(), out.toByteArray());
  }
}
