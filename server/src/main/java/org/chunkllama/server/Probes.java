package org.chunkllama.server;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.chunkllama.server.generate.Model;
import org.chunkllama.server.http.ApiException;
import org.chunkllama.server.http.ApiException.Kind;
import org.chunkllama.server.http.Exchange;
import org.chunkllama.server.http.Json;
import org.chunkllama.server.http.Service;

/** {@code GET /health}, {@code /ready} and {@code /version}. */
final class Probes {
  /** A step of the engine takes well under this. */
  private static final long ENGINE_SECONDS = 30;

  private final Model model;
  private final Service service;
  private final String version;

  Probes(Model model, Service service, String version) {
    this.model = model;
    this.service = service;
    this.version = version;
  }

  /** 200 while the engine answers; a supervisor restarts the process otherwise. */
  void health(Exchange exchange) {
    checkEngine();
    exchange.send(200, "text/plain; charset=utf-8", new byte[0]);
  }

  /** 200 while requests are taken; a load balancer sends them elsewhere otherwise. */
  void ready(Exchange exchange) {
    if (service.isDraining()) {
      throw ApiException.retry(
          Kind.UNAVAILABLE, "draining", "the server is stopping", Duration.ofSeconds(5));
    }
    checkEngine();
    exchange.send(200, "text/plain; charset=utf-8", "ready\n".getBytes(StandardCharsets.US_ASCII));
  }

  void version(Exchange exchange) {
    exchange.send(Json.object().put("version", version));
  }

  private void checkEngine() {
    if (!model.llm().isRunning()) {
      throw ApiException.of(Kind.UNAVAILABLE, "engine_down", "the engine stopped");
    }
    try {
      CompletableFuture.supplyAsync(() -> model.llm().stats(), Thread::startVirtualThread)
          .get(ENGINE_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw ApiException.of(Kind.UNAVAILABLE, "engine_down", "the engine does not answer", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw ApiException.of(Kind.UNAVAILABLE, "stopping", "the server is stopping", e);
    }
  }
}
