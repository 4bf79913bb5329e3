package org.chunkllama.server;

import io.helidon.common.tls.Tls;
import io.helidon.http.DirectHandler;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.WebServerConfig;
import io.helidon.webserver.http.DirectHandlers;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http1.Http1Config;
import io.helidon.webserver.http1.Http1ConnectionSelector;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.chunkllama.Llm;
import org.chunkllama.server.generate.Generations;
import org.chunkllama.server.generate.Model;
import org.chunkllama.server.generate.PromptLimit;
import org.chunkllama.server.http.Answered;
import org.chunkllama.server.http.Gate;
import org.chunkllama.server.http.Service;
import org.chunkllama.server.http.TransportErrors;
import org.chunkllama.server.metrics.Metrics;
import org.chunkllama.server.net.ConnectionGuard;
import org.chunkllama.server.net.GuardedSelector;
import org.chunkllama.server.tenant.Tenant;
import org.chunkllama.server.trace.Traces;

/**
 * A model behind HTTP. Started by {@link #start}; {@link #drain} lets what runs come to its end,
 * {@link #close} ends it now. The model stays its owner's to close.
 */
public final class ChatServer implements AutoCloseable {
  /** Connections that may wait for their refusal at once. */
  private static final int REFUSED_AT_ONCE = 1024;

  /** For clients to be told that their requests were cancelled. */
  private static final Duration TO_TELL_CLIENTS = Duration.ofMillis(500);

  private static final Duration LONGEST_IDLE_PERIOD = Duration.ofSeconds(10);

  private final WebServer web;
  private final ConnectionGuard guard;
  private final Service service;
  private final Generations generations;
  private final Optional<Traces> traces;

  private ChatServer(
      WebServer web,
      ConnectionGuard guard,
      Service service,
      Generations generations,
      Optional<Traces> traces) {
    this.traces = traces;
    this.web = web;
    this.guard = guard;
    this.service = service;
    this.generations = generations;
  }

  /**
   * Starts a server.
   *
   * @throws org.chunkllama.error.InvalidRequestException if the address cannot be listened on
   */
  public static ChatServer start(Llm llm, ServerOptions options) {
    Limits limits = options.limits();
    ListenAddress.check(options.host(), options.port());
    limitTenants(llm, options);
    Model model = new Model(llm, options.modelName(), System.currentTimeMillis() / 1000);
    Service service = new Service();
    ConnectionGuard guard =
        new ConnectionGuard(limits.connections(), limits.requestTime(), limits.writeTime());
    Optional<Traces> traces = options.traces().map(Traces::new);
    try {
      Metrics metrics = new Metrics(model.name(), llm);
      metrics.gauge(
          "chunkllama_connections", "Open connections, idle ones too.", guard::connections);
      metrics.gauge("chunkllama_http_requests_open", "Requests being answered.", service::open);
      PromptLimit prompts = new PromptLimit(llm, limits.promptTokens());
      Generations generations = new Generations(llm, metrics.generations(), prompts);
      Consumer<Answered> listener = metrics::answered;
      if (traces.isPresent()) {
        listener = listener.andThen(traces.get()::answered);
      }
      Gate gate = new Gate(options.keys(), service, options.accessLog(), listener);
      HttpRouting.Builder routing = HttpRouting.builder();
      Routes.add(routing, gate, model, service, generations, prompts, metrics, options.version());
      WebServer web = listening(web(options, guard, routing).build(), options);
      return new ChatServer(web, guard, service, generations, traces);
    } catch (RuntimeException e) {
      guard.close();
      traces.ifPresent(Traces::close);
      throw e;
    }
  }

  /**
   * Says early, such as before a model is loaded, whether {@link #start} could listen.
   *
   * @throws org.chunkllama.error.InvalidRequestException if the address cannot be listened on
   */
  public static void checkAddress(ServerOptions options) {
    ListenAddress.check(options.host(), options.port());
  }

  /** It starts without a word where it cannot listen. */
  private static WebServer listening(WebServer web, ServerOptions options) {
    web.start();
    if (!web.isRunning() || web.port() < 0) {
      web.stop();
      throw ListenAddress.refused(options.host(), options.port(), "the web server did not start");
    }
    return web;
  }

  private static void limitTenants(Llm llm, ServerOptions options) {
    Set<Tenant> tenants =
        options.keys().areRequired() ? options.keys().tenants() : Set.of(Tenant.ANYONE);
    for (Tenant tenant : tenants) {
      llm.limitTenant(tenant.name(), options.tenantLimits());
    }
  }

  private static WebServerConfig.Builder web(
      ServerOptions options, ConnectionGuard guard, HttpRouting.Builder routing) {
    Limits limits = options.limits();
    Http1Config http = Http1Config.builder().maxHeadersSize(limits.headerBytes()).build();
    Http1ConnectionSelector selector = Http1ConnectionSelector.builder().config(http).build();
    WebServerConfig.Builder web =
        WebServer.builder()
            .host(options.host())
            .port(options.port())
            .protocolsDiscoverServices(false)
            .addConnectionSelector(new GuardedSelector(selector, guard))
            .maxTcpConnections(limits.connections() + REFUSED_AT_ONCE)
            .maxPayloadSize(limits.bodyBytes())
            .idleConnectionTimeout(limits.idleTime())
            .idleConnectionPeriod(idlePeriod(limits.idleTime()))
            .connectionOptions(o -> o.readTimeout(limits.requestTime()).tcpNoDelay(true))
            .shutdownGracePeriod(Duration.ofMillis(500))
            .shutdownHook(false)
            .directHandlers(directHandlers())
            .routing(routing);
    options.tls().ifPresent(files -> web.tls(Tls.create(TlsSetup.of(files))));
    return web;
  }

  /** How often idle connections are looked for. */
  private static Duration idlePeriod(Duration idle) {
    Duration half = idle.dividedBy(2);
    return half.compareTo(LONGEST_IDLE_PERIOD) < 0 ? half : LONGEST_IDLE_PERIOD;
  }

  private static DirectHandlers directHandlers() {
    DirectHandlers.Builder handlers = DirectHandlers.builder();
    for (DirectHandler.EventType type : DirectHandler.EventType.values()) {
      handlers.addHandler(type, new TransportErrors());
    }
    return handlers.build();
  }

  /** The port it listens on. */
  public int port() {
    return web.port();
  }

  /** Requests being answered now. */
  public int openRequests() {
    return service.open();
  }

  /**
   * Takes no more requests and waits for those that run; what has not ended in time is cancelled.
   *
   * @return true if all came to their end
   */
  public boolean drain(Duration limit) throws InterruptedException {
    service.drain();
    guard.drain();
    if (service.awaitEmpty(limit)) {
      return true;
    }
    generations.cancelAll();
    service.awaitEmpty(TO_TELL_CLIENTS);
    return false;
  }

  /** Cancels what runs and closes all connections. */
  @Override
  public void close() {
    service.drain();
    generations.cancelAll();
    guard.cutAll(); // the web server would wait for them, one after the other
    web.stop();
    guard.close();
    traces.ifPresent(Traces::close);
  }
}
