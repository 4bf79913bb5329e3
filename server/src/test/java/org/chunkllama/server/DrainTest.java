package org.chunkllama.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.chunkllama.server.tenant.ApiKeys;
import org.junit.jupiter.api.Test;

/** A server that is told to stop. */
class DrainTest {
  private static final int STREAMS = 50;
  private static final String PATH = "/v1/completions";

  private static String body(int tokens) {
    return "{\"prompt\":\"Once\",\"max_tokens\":%d,\"ignore_eos\":true,\"stream\":true}"
        .formatted(tokens);
  }

  private static List<Future<HttpResponse<String>>> start(
      TestServer server, ExecutorService pool, int tokens) throws InterruptedException {
    List<Future<HttpResponse<String>>> streams = new ArrayList<>();
    for (int i = 0; i < STREAMS; i++) {
      streams.add(pool.submit(() -> server.post(PATH, body(tokens))));
    }
    while (server.server.openRequests() < STREAMS || server.llm.stats().running() < STREAMS) {
      assertThat(streams).as("all run at once").noneMatch(Future::isDone);
      Thread.sleep(1);
    }
    return streams;
  }

  @Test
  void whatRunsEndsAndNothingNewBegins() throws Exception {
    try (TestServer server = new TestServer();
        ExecutorService pool = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<HttpResponse<String>>> streams = start(server, pool, 300);
      Future<Boolean> drained = pool.submit(() -> server.server.drain(Duration.ofSeconds(60)));
      while (server.get("/ready").statusCode() != 503) {
        Thread.sleep(1);
      }
      HttpResponse<String> late = server.post(PATH, body(1));
      assertThat(late.statusCode()).isEqualTo(503);
      assertThat(late.headers().firstValue("Retry-After")).isPresent();
      for (Future<HttpResponse<String>> stream : streams) {
        assertThat(stream.get().body()).endsWith("data: [DONE]\n\n");
      }
      assertThat(drained.get()).isTrue();
      server.awaitIdle();
    }
  }

  /** What has not all come is no request yet: it is closed, and nobody waits for it. */
  @Test
  void aHalfSentRequestHoldsNothingUp() throws Exception {
    try (TestServer server = new TestServer()) {
      ChatServer other =
          ChatServer.start(server.llm, TestServer.options(ApiKeys.none(), Limits.defaults()));
      try (RawClient half = new RawClient(other.port());
          RawClient running = new RawClient(other.port())) {
        half.write(RawClient.head(PATH, 1000) + "{");
        running.post(PATH, body(480).replace("}", ",\"n\":16}"));
        running.readUntil("data: ");
        assertThat(other.openRequests()).isEqualTo(1);
        long start = System.nanoTime();
        other.drain(Duration.ofMillis(1200));
        other.close();
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(3));
        assertThat(half.readAll()).doesNotContain("200 OK"); // it ends
      }
    }
  }

  @Test
  void whatDoesNotEndInTimeIsCutOffWithAWord() throws Exception {
    try (TestServer server = new TestServer();
        ExecutorService pool = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<HttpResponse<String>>> streams = start(server, pool, 480);
      assertThat(server.server.drain(Duration.ofMillis(1))).isFalse();
      for (Future<HttpResponse<String>> stream : streams) {
        assertThat(stream.get().body()).contains("\"code\":\"cancelled\"").doesNotContain("[DONE]");
      }
      server.awaitIdle();
    }
  }

  @Test
  void aStreamThatHasBegunEndsWithAnError() throws Exception {
    try (TestServer server = new TestServer();
        RawClient client = new RawClient(server.server.port())) {
      client.post(PATH, body(480).replace("}", ",\"n\":16}"));
      client.readUntil("data: ");
      assertThat(server.server.drain(Duration.ofMillis(1))).isFalse();
      assertThat(client.readUntil("\r\n0\r\n\r\n")).contains("\"code\":\"cancelled\"");
      server.awaitIdle();
    }
  }

  @Test
  void aResponseThatHasBegunFails() throws Exception {
    try (TestServer server = new TestServer();
        RawClient client = new RawClient(server.server.port())) {
      client.post(
          "/v1/responses",
          "{\"input\":\"Once\",\"max_output_tokens\":450,\"ignore_eos\":true,\"stream\":true}");
      client.readUntil("response.output_text.delta");
      assertThat(server.server.drain(Duration.ofMillis(1))).isFalse();
      String rest = client.readUntil("\r\n0\r\n\r\n");
      assertThat(rest)
          .contains("event: response.failed")
          .contains("\"status\":\"failed\"")
          .contains("\"code\":\"server_error\"")
          .doesNotContain("response.completed")
          .doesNotContain("response.incomplete");
      server.awaitIdle();
    }
  }
}
