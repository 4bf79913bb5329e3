package org.chunkllama.server.http;

import io.helidon.http.HeaderNames;
import io.helidon.http.Method;
import io.helidon.http.RequestException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.function.BiConsumer;
import org.chunkllama.server.http.ApiException.Kind;
import org.chunkllama.server.net.ClientConnection;
import org.chunkllama.server.tenant.Tenant;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** One request and its answer. */
public final class Exchange {
  private static final byte[] NO_BODY = {};

  private final ServerRequest request;
  private final ServerResponse response;
  private final ClientConnection connection;
  private final String id;
  private final Tenant tenant;
  private final ErrorFormat errors;
  private volatile boolean gone;
  private boolean bodyTaken;
  private @Nullable Service service;
  private boolean counted;
  private int status;
  private @Nullable EventStream stream;
  private BiConsumer<EventStream, ApiException> failure;

  Exchange(
      ServerRequest request,
      ServerResponse response,
      ClientConnection connection,
      String id,
      Tenant tenant,
      ErrorFormat errors) {
    this.request = request;
    this.response = response;
    this.connection = connection;
    this.id = id;
    this.tenant = tenant;
    this.errors = errors;
    this.failure = errors::send;
    if (!request.content().hasEntity()) {
      bodyTaken = true;
      connection.requestRead();
    }
  }

  /** The request's id, the client's own or ours. */
  public String id() {
    return id;
  }

  public Tenant tenant() {
    return tenant;
  }

  /** A path parameter. */
  public String path(String name) {
    return request.path().pathParameters().get(name);
  }

  public Optional<String> query(String name) {
    return request.query().first(name).asOptional();
  }

  public Optional<String> header(String name) {
    return request.headers().first(HeaderNames.create(name));
  }

  /** The host and port by which the client called us. */
  public String authority() {
    return request.authority();
  }

  public boolean isSecure() {
    return request.isSecure();
  }

  /**
   * Reads the body.
   *
   * @throws ApiException if it is too large, or no JSON object in UTF-8
   */
  public JsonFields json() {
    byte[] body = body();
    connection.requestRead();
    enter();
    return new JsonFields(Json.parseObject(body));
  }

  /**
   * Counts the request as one being answered, from when all of it is here.
   *
   * @throws ApiException if no more are taken
   */
  void countIn(Service service) {
    if (service.isDraining()) {
      throw draining();
    }
    this.service = service;
    if (bodyTaken) {
      enter();
    }
  }

  private void enter() {
    Service entered = service;
    if (entered == null || counted) {
      return;
    }
    if (!entered.enter()) {
      throw draining();
    }
    counted = true;
  }

  /** The request is answered. */
  void leave() {
    if (counted && service != null) {
      counted = false;
      service.leave();
    }
  }

  private static ApiException draining() {
    return ApiException.retry(
        Kind.UNAVAILABLE, "draining", "the server is stopping", Duration.ofSeconds(5));
  }

  private byte[] body() {
    bodyTaken = true;
    try {
      // Not closed: that would wait for the rest of a body that cannot be read.
      return request.content().inputStream().readAllBytes();
    } catch (RequestException e) {
      Kind kind = e.status().code() == Kind.TOO_LARGE.status() ? Kind.TOO_LARGE : Kind.INVALID;
      String message =
          kind == Kind.TOO_LARGE
              ? "the body is larger than this server takes"
              : "the body cannot be read; send it as its headers say";
      throw ApiException.of(kind, null, message, e);
    } catch (IllegalArgumentException e) { // a chunk's length: where the body ends, nobody knows
      connection.refuse("the body's chunks cannot be read; send it as HTTP/1.1 says");
      throw new ClientGoneException(e);
    } catch (IOException | RuntimeException e) {
      throw new ClientGoneException(e);
    }
  }

  /** Takes a body that nobody asked for, so that the connection can be used again. */
  private void skipBody() {
    if (bodyTaken) {
      return;
    }
    bodyTaken = true;
    try (var in = request.content().inputStream()) {
      in.transferTo(OutputStream.nullOutputStream());
      connection.requestRead();
    } catch (IOException | RuntimeException _) {
      // too large, or gone: its deadline stands, and the connection ends by that
    }
  }

  /** Runs {@code action} if the client closes before it has its answer. */
  public void whenGone(Runnable action) {
    connection.whenGone(() -> {
      gone = true;
      action.run();
    });
  }

  /** A header of the answer. */
  public Exchange with(String header, String value) {
    response.header(header, value);
    return this;
  }

  public void send(JsonNode body) {
    send(200, "application/json", Json.bytes(body));
  }

  public void send(int code, String contentType, byte[] body) {
    skipBody();
    status = code;
    response.status(code);
    response.header(HeaderNames.CONTENT_TYPE, contentType);
    connection.answered();
    connection.beginWrite();
    try {
      if (request.prologue().method().equals(Method.HEAD)) {
        response.header(HeaderNames.CONTENT_LENGTH, String.valueOf(body.length));
        response.send(NO_BODY);
      } else {
        response.send(body);
      }
    } catch (RuntimeException e) {
      throw new ClientGoneException(e);
    } finally {
      connection.endWrite();
    }
  }

  /** Begins an answer of events; if it fails, its last event is the API's usual error. */
  public EventStream stream() {
    return stream(errors::send);
  }

  /** Begins an answer of events; if it fails, {@code lastEvent} is sent before it ends. */
  public EventStream stream(BiConsumer<EventStream, ApiException> lastEvent) {
    failure = lastEvent;
    status = 200;
    response.header(HeaderNames.CONTENT_TYPE, "text/event-stream; charset=utf-8");
    response.header(HeaderNames.CACHE_CONTROL, "no-cache");
    response.header("X-Accel-Buffering", "no"); // proxies would hold events back
    EventStream events = new EventStream(response.outputStream(), connection);
    stream = events;
    return events;
  }

  /** The status that was sent; 0 if none was, or the client is gone. */
  int status() {
    return gone ? 0 : status;
  }

  /** The client closed before it had its answer. */
  void gone() {
    gone = true;
  }

  /** Answers with an error: as a status, or as the last event of a stream that has begun. */
  void fail(ApiException error) {
    if (gone) {
      throw new ClientGoneException(error);
    }
    EventStream begun = stream;
    if (begun != null) {
      failure.accept(begun, error);
      begun.end();
      status = error.status();
      return;
    }
    error.retryAfter().ifPresent(wait -> with("Retry-After", seconds(wait)));
    if (error.kind() == Kind.UNAUTHENTICATED) {
      with("WWW-Authenticate", "Bearer");
    }
    send(error.status(), "application/json", Json.bytes(errors.body(error)));
  }

  private static String seconds(Duration wait) {
    return Long.toString(Math.max(1, wait.toSeconds()));
  }
}
