/** The HTTP server. */
module org.chunkllama.server {
  requires transitive org.chunkllama.engine;
  requires transitive org.jspecify;
  requires io.helidon.common.buffers;
  requires io.helidon.common.concurrency.limits;
  requires io.helidon.common.socket;
  requires io.helidon.common.tls;
  requires io.helidon.http;
  requires io.helidon.webserver;
  requires io.opentelemetry.api;
  requires io.opentelemetry.context;
  requires io.opentelemetry.exporter.otlp;
  requires io.opentelemetry.sdk.common;
  requires io.opentelemetry.sdk.trace;
  requires io.prometheus.metrics.core;
  requires io.prometheus.metrics.model;
  requires io.prometheus.writer.text;
  requires tools.jackson.databind;

  exports org.chunkllama.server;
  exports org.chunkllama.server.tenant;
}
