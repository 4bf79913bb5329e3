package org.chunkllama.files;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.chunkllama.error.DownloadException;
import org.jspecify.annotations.Nullable;

/** GET with redirects followed by hand, time limits, and a token that only the hub's host sees. */
final class HttpTransfer implements AutoCloseable {
  private static final int MAX_REDIRECTS = 5;

  /**
   * An answer.
   *
   * @param response after all redirects
   * @param checksum what the hub says the file hashes to
   */
  record Answer(HttpResponse<InputStream> response, Optional<Checksum> checksum) {
    int status() {
      return response.statusCode();
    }

    OptionalLong length() {
      return response.headers().firstValueAsLong("Content-Length");
    }
  }

  private final DownloadSettings settings;
  private final HttpClient client;

  HttpTransfer(DownloadSettings settings) {
    this.settings = settings;
    ProxySelector proxy =
        settings.proxy().map(HttpTransfer::selector).orElseGet(ProxySelector::getDefault);
    this.client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(settings.connectTimeout())
            .proxy(proxy)
            .build();
  }

  private static ProxySelector selector(URI proxy) {
    int port = proxy.getPort() < 0 ? 80 : proxy.getPort();
    return ProxySelector.of(new InetSocketAddress(proxy.getHost(), port));
  }

  /**
   * The answer to a GET; its body must be closed.
   *
   * @param from first byte wanted; 0 for all
   * @throws IOException if the host is not reached or does not answer in time
   */
  Answer get(URI address, long from) throws IOException {
    URI at = address;
    Checksum checksum = null;
    for (int hop = 0; hop <= MAX_REDIRECTS; hop++) {
      HttpResponse<InputStream> response = send(at, from);
      checksum = checksum == null ? stated(response) : checksum;
      String location = response.headers().firstValue("Location").orElse(null);
      if (response.statusCode() / 100 != 3 || location == null) {
        return new Answer(response, Optional.ofNullable(checksum));
      }
      response.body().close();
      at = redirected(at, location);
    }
    throw new IOException("more than " + MAX_REDIRECTS + " redirects");
  }

  private static @Nullable Checksum stated(HttpResponse<?> response) {
    // X-Linked-ETag is the file's own; a CDN's plain ETag may be anything.
    return response
        .headers()
        .firstValue("X-Linked-ETag")
        .or(() -> response.headers().firstValue("ETag"))
        .flatMap(Checksum::ofEtag)
        .orElse(null);
  }

  private static URI redirected(URI at, String location) throws IOException {
    try {
      URI next = at.resolve(location);
      boolean weaker = at.getScheme().equals("https") && !"https".equals(next.getScheme());
      if (weaker || next.getHost() == null) {
        throw new IOException("refused a redirect to " + Untrusted.quote(location));
      }
      return next;
    } catch (IllegalArgumentException e) {
      throw new IOException("broken redirect " + Untrusted.quote(location), e);
    }
  }

  private HttpResponse<InputStream> send(URI address, long from) throws IOException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(address).header("User-Agent", "chunkllama").GET();
    if (from > 0) {
      request.header("Range", "bytes=" + from + "-");
    }
    if (address.getAuthority().equals(settings.hub().getAuthority())) {
      settings.token().ifPresent(token -> request.header("Authorization", "Bearer " + token));
    }
    CompletableFuture<HttpResponse<InputStream>> answer =
        client.sendAsync(request.build(), HttpResponse.BodyHandlers.ofInputStream());
    try {
      long limit = settings.connectTimeout().plus(settings.stallTimeout()).toMillis();
      return answer.get(limit, TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      answer.cancel(true);
      throw new IOException("no answer in time", e);
    } catch (ExecutionException e) {
      throw new IOException(reason(e.getCause()), e.getCause());
    } catch (InterruptedException e) {
      answer.cancel(true);
      Thread.currentThread().interrupt();
      throw new DownloadException("the download was interrupted; run again to resume it", e);
    }
  }

  private static String reason(@Nullable Throwable cause) {
    Throwable deepest = cause;
    while (deepest != null && deepest.getCause() != null) {
      deepest = deepest.getCause();
    }
    return switch (deepest) {
      case null -> "no answer";
      case java.nio.channels.UnresolvedAddressException _ -> "its name cannot be resolved";
      case Throwable other when other.getMessage() != null -> other.getMessage();
      case Throwable other -> other.getClass().getSimpleName();
    };
  }

  /** A document's bytes, at most {@code most}; headers as they came. */
  static byte[] body(Answer answer, int most) throws IOException {
    try (InputStream in = answer.response().body()) {
      byte[] bytes = in.readNBytes(most + 1);
      if (bytes.length > most) {
        throw new IOException("the answer has more than " + most + " bytes");
      }
      return bytes;
    }
  }

  /** What went wrong, by an answer's status, in words that say what to do. */
  static String explain(int status, String what, DownloadSettings settings) {
    Map<Integer, String> known =
        Map.of(
            401, what + " is gated, private or misspelt (HTTP 401); " + access(settings),
            403, what + " is gated (HTTP 403); " + access(settings),
            404,
                what
                    + " does not exist on "
                    + settings.hub().getHost()
                    + " (HTTP 404);"
                    + " check its name and revision",
            429, settings.hub().getHost() + " asks for a pause (HTTP 429); try again later");
    return known.getOrDefault(
        status, settings.hub().getHost() + " answered HTTP " + status + " for " + what);
  }

  private static String access(DownloadSettings settings) {
    return settings.token().isPresent()
        ? "accept its licence on its web page with the account of HF_TOKEN"
        : "accept its licence on its web page and set the environment variable HF_TOKEN";
  }

  @Override
  public void close() {
    client.shutdownNow();
  }
}
