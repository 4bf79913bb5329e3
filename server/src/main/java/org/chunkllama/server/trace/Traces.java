package org.chunkllama.server.trace;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.chunkllama.server.http.Answered;
import org.jspecify.annotations.Nullable;

/**
 * A span for each answered request, sent to an OpenTelemetry collector; a client's own trace goes
 * on in it. No prompts.
 */
public final class Traces implements AutoCloseable {
  private static final long FLUSH_SECONDS = 5;
  private static final String PARENT = "traceparent";

  private final SdkTracerProvider provider;
  private final Tracer tracer;

  /** {@code endpoint}: where OTLP over HTTP is taken, such as http://host:4318/v1/traces. */
  public Traces(String endpoint) {
    OtlpHttpSpanExporter exporter = OtlpHttpSpanExporter.builder().setEndpoint(endpoint).build();
    Attributes service = Attributes.of(AttributeKey.stringKey("service.name"), "chunkllama");
    provider =
        SdkTracerProvider.builder()
            .setResource(Resource.getDefault().merge(Resource.create(service)))
            .addSpanProcessor(BatchSpanProcessor.builder(exporter).build())
            .build();
    tracer = provider.get("org.chunkllama.server");
  }

  /** A request was answered just now; probes leave no trace. */
  public void answered(Answered answered) {
    if (answered.probe()) {
      return;
    }
    long end = TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis());
    SpanBuilder builder =
        tracer
            .spanBuilder(answered.method() + " " + answered.route())
            .setParent(parent(answered.traceParent()))
            .setSpanKind(SpanKind.SERVER)
            .setStartTimestamp(end - answered.nanos(), TimeUnit.NANOSECONDS)
            .setAttribute("http.request.method", answered.method())
            .setAttribute("http.route", answered.route())
            .setAttribute("http.response.status_code", (long) answered.status())
            .setAttribute("chunkllama.request_id", answered.id())
            .setAttribute("chunkllama.tenant", answered.tenant());
    var span = builder.startSpan();
    if (answered.status() >= 500) {
      span.setStatus(StatusCode.ERROR);
    }
    span.end(end, TimeUnit.NANOSECONDS);
  }

  private static Context parent(Optional<String> traceParent) {
    return W3CTraceContextPropagator.getInstance()
        .extract(Context.root(), traceParent.orElse(""), Header.INSTANCE);
  }

  /** The one header that is read. */
  private enum Header implements TextMapGetter<String> {
    INSTANCE;

    @Override
    @SuppressWarnings("deprecation") // nothing else may be left abstract
    public Iterable<String> keys(String header) {
      return Set.of(PARENT);
    }

    @Override
    public @Nullable String get(@Nullable String header, String key) {
      return key.equals(PARENT) ? header : null;
    }
  }

  /** Sends what is not sent yet. */
  @Override
  public void close() {
    provider.shutdown().join(FLUSH_SECONDS, TimeUnit.SECONDS);
  }
}
