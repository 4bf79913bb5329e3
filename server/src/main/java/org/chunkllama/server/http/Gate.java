package org.chunkllama.server.http;

import io.helidon.http.HeaderNames;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.Optional;
import java.util.function.Consumer;
import org.chunkllama.server.http.ApiException.Kind;
import org.chunkllama.server.net.ClientConnection;
import org.chunkllama.server.tenant.ApiKeys;
import org.chunkllama.server.tenant.Tenant;

/** What every request passes: an id, the key, draining, errors, the log. */
public final class Gate {
  /** What the log calls a request whose client closed before it was answered. */
  private static final int CLIENT_GONE = 499;

  /** Who may call an endpoint, and when. */
  public enum Access {
    /** Anybody, also while the server drains; not logged. For probes. */
    PROBE,
    /** Holders of a key, while the server takes requests. */
    API
  }

  private final ApiKeys keys;
  private final Service service;
  private final AccessLog log;
  private final Consumer<Answered> listener;

  public Gate(ApiKeys keys, Service service, boolean accessLog, Consumer<Answered> listener) {
    this.keys = keys;
    this.service = service;
    this.log = new AccessLog(accessLog);
    this.listener = listener;
  }

  /**
   * An endpoint as the web server takes it.
   *
   * @param route how logs and figures call it
   */
  public Handler handler(String route, Access access, ErrorFormat format, Endpoint endpoint) {
    return (request, response) -> handle(request, response, route, access, format, endpoint);
  }

  private void handle(
      ServerRequest request,
      ServerResponse response,
      String route,
      Access access,
      ErrorFormat format,
      Endpoint endpoint) {
    long start = System.nanoTime();
    String id = RequestIds.of(request.headers().first(HeaderNames.create("x-request-id")));
    ClientConnection connection =
        ClientConnection.current().orElseThrow(() -> new IllegalStateException("no connection"));
    Optional<Tenant> tenant = access == Access.API ? tenant(request) : Optional.of(Tenant.ANYONE);
    Tenant named = tenant.orElse(Tenant.ANYONE);
    Exchange exchange = new Exchange(request, response, connection, id, named, format);
    exchange.with("x-request-id", id);
    try {
      if (access == Access.PROBE) {
        answer(exchange, endpoint);
      } else {
        admit(exchange, tenant.isPresent(), endpoint);
      }
    } catch (ClientGoneException e) {
      throw new CloseConnectionException("the client is gone", e);
    } finally {
      int status = exchange.status() == 0 ? CLIENT_GONE : exchange.status();
      long nanos = System.nanoTime() - start;
      listener.accept(
          new Answered(
              access == Access.PROBE,
              request.prologue().method().text(),
              route,
              status,
              nanos,
              named.name(),
              id,
              request.headers().first(HeaderNames.create("traceparent"))));
      if (access == Access.API) {
        log.write(request, route, status, nanos, named, id);
      }
    }
  }

  private void admit(Exchange exchange, boolean known, Endpoint endpoint) {
    if (!known) {
      exchange.fail(
          ApiException.of(
              Kind.UNAUTHENTICATED,
              "invalid_api_key",
              "no valid API key; send one as 'Authorization: Bearer KEY'"));
    } else {
      try {
        answer(exchange, counted(endpoint));
      } finally {
        exchange.leave();
      }
    }
  }

  /** Refuses while draining, before a body is read; a request counts once all of it is here. */
  private Endpoint counted(Endpoint endpoint) {
    return exchange -> {
      exchange.countIn(service);
      endpoint.handle(exchange);
    };
  }

  private static void answer(Exchange exchange, Endpoint endpoint) {
    try {
      endpoint.handle(exchange);
    } catch (ClientGoneException e) {
      exchange.gone();
      throw e;
    } catch (RuntimeException | StackOverflowError e) {
      exchange.fail(Failures.of(e, exchange.id()));
    }
  }

  private Optional<Tenant> tenant(ServerRequest request) {
    if (!keys.areRequired()) {
      return Optional.of(Tenant.ANYONE);
    }
    return request
        .headers()
        .first(HeaderNames.AUTHORIZATION)
        .filter(value -> value.regionMatches(true, 0, "Bearer ", 0, 7))
        .map(value -> value.substring(7).strip())
        .or(() -> request.headers().first(HeaderNames.create("x-api-key")))
        .flatMap(keys::tenant);
  }
}
