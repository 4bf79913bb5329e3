package org.chunkllama.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPInputStream;
import org.chunkllama.server.tenant.ApiKeys;
import org.junit.jupiter.api.Test;

/** Spans reach a collector, without a word of the prompt. */
class TracesTest {
  private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

  @Test
  void spansReachTheCollector() throws Exception {
    BlockingQueue<String> received = new LinkedBlockingQueue<>();
    HttpServer collector =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    collector.createContext(
        "/v1/traces",
        exchange -> {
          boolean zipped = exchange.getRequestHeaders().containsKey("Content-Encoding");
          try (var in = exchange.getRequestBody();
              var body = zipped ? new GZIPInputStream(in) : in) {
            received.add(new String(body.readAllBytes(), StandardCharsets.ISO_8859_1));
          }
          exchange.sendResponseHeaders(200, -1);
          exchange.close();
        });
    collector.start();
    String url = "http://127.0.0.1:%d/v1/traces".formatted(collector.getAddress().getPort());
    try (TestServer server = new TestServer(m -> m, o -> with(url))) {
      server.get("/health");
      server.send(
          server
              .request("/v1/completions", "{\"prompt\":\"a secret\",\"max_tokens\":1}")
              .header("traceparent", "00-" + TRACE + "-00f067aa0ba902b7-01")
              .build());
    } // closing sends what is left
    String spans = received.poll(10, TimeUnit.SECONDS);
    collector.stop(0);
    String trace = new String(HexFormat.of().parseHex(TRACE), StandardCharsets.ISO_8859_1);
    assertThat(spans)
        .contains("POST /v1/completions")
        .contains("chunkllama.request_id")
        .contains(trace)
        .doesNotContain("secret")
        .doesNotContain("/health");
  }

  private static ServerOptions with(String url) {
    return TestServer.options("127.0.0.1", 0, ApiKeys.none(), Limits.defaults(), Optional.of(url));
  }
}
