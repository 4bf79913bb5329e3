package org.chunkllama.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.chunkllama.TenantLimits;
import org.chunkllama.server.tenant.ApiKeys;
import org.junit.jupiter.api.Test;

/** More requests than are taken: each is answered, or refused with a word. */
class LoadLimitsTest {
  @Test
  void idleConnectionsAreClosedInTime() throws Exception {
    Duration limit = Duration.ofSeconds(30);
    Limits limits = new Limits(9, 4096, 4096, 0, limit, limit, Duration.ofSeconds(1));
    try (TestServer server =
            new TestServer(m -> m, o -> TestServer.options(ApiKeys.none(), limits));
        RawClient client = new RawClient(server.server.port())) {
      long start = System.nanoTime();
      client.write("GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n").readAll();
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(8));
    }
  }

  private static final String PATH = "/v1/completions";

  private static String body(int tokens, String more) {
    return "{\"prompt\":\"Once\",\"max_tokens\":%d,\"ignore_eos\":true%s}".formatted(tokens, more);
  }

  private static int post(TestServer server, String key, String body) {
    HttpResponse<String> response =
        server.send(server.request(PATH, body).header("Authorization", "Bearer " + key).build());
    if (response.statusCode() == 429) {
      assertThat(response.headers().firstValue("Retry-After")).contains("1");
    }
    return response.statusCode();
  }

  private static long[] statuses(List<Future<Integer>> answers, int... wanted) throws Exception {
    long[] counts = new long[wanted.length];
    for (Future<Integer> answer : answers) {
      int status = answer.get();
      assertThat(wanted).contains(status);
      for (int i = 0; i < wanted.length; i++) {
        counts[i] += status == wanted[i] ? 1 : 0;
      }
    }
    return counts;
  }

  @Test
  void aFullQueueIsAnAnswer() throws Exception {
    try (TestServer server =
            new TestServer(m -> m.withQueueCapacity(4).withMaxSequences(2), o -> o);
        ExecutorService pool = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Integer>> answers = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        answers.add(pool.submit(() -> post(server, "any", body(200, ""))));
      }
      long[] counts = statuses(answers, 200, 429);
      assertThat(counts[0]).isPositive();
      assertThat(counts[1]).isPositive();
      server.awaitIdle();
      assertThat(post(server, "any", body(2, ""))).isEqualTo(200);
    }
  }

  /** 429 would have clients try again for ever. */
  @Test
  void whatNeverFitsIsTheClientsError() {
    TenantLimits half = TenantLimits.none().withPoolShare(0.5);
    try (TestServer server =
        new TestServer(
            m -> m.withQueueCapacity(8).withPoolBytes(256 << 10), o -> limited(o, half))) {
      String nine = String.join(",", Collections.nCopies(9, "\"Once\""));
      HttpResponse<String> many = server.post(PATH, "{\"prompt\":[" + nine + "],\"max_tokens\":1}");
      assertThat(many.statusCode()).isEqualTo(400);
      assertThat(many.body()).contains("9 prompts", "--max-queue");

      int share = server.llm.tree(false).chunksTotal() / 2 * 16;
      assertThat(share).isLessThan(server.llm.context());
      HttpResponse<String> wide = server.post(PATH, tokens(share));
      assertThat(wide.statusCode()).isEqualTo(400);
      assertThat(wide.body())
          .contains("context_length_exceeded", "of 16 tokens", "--tenant-pool-share");
      HttpResponse<String> cut = server.post(PATH, tokens(share - 5));
      assertThat(cut.statusCode()).as(cut.body()).isEqualTo(200);
      assertThat(cut.body()).contains("\"finish_reason\":\"length\"", "\"completion_tokens\":5");
      server.awaitIdle();
    }
  }

  private static String tokens(int count) {
    String ids = String.join(",", Collections.nCopies(count, "65"));
    return "{\"prompt\":[" + ids + "],\"max_tokens\":100,\"ignore_eos\":true}";
  }

  private static ServerOptions limited(ServerOptions o, TenantLimits limits) {
    return limited(o, o.keys(), limits);
  }

  private static ServerOptions limited(ServerOptions o, ApiKeys keys, TenantLimits limits) {
    return new ServerOptions(
        o.host(),
        o.port(),
        o.modelName(),
        o.version(),
        keys,
        o.tls(),
        o.limits(),
        limits,
        o.traces(),
        false);
  }

  @Test
  void aTenantAtItsLimitDoesNotStopOthers() throws Exception {
    ApiKeys keys = ApiKeys.of(Map.of("key-of-ann", "ann", "key-of-bob", "bob"));
    TenantLimits two = TenantLimits.none().withRequests(2);
    try (TestServer server = new TestServer(m -> m, o -> limited(o, keys, two));
        ExecutorService pool = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Integer>> answers = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        answers.add(pool.submit(() -> post(server, "key-of-ann", body(400, ""))));
      }
      while (server.llm.stats().running() == 0) {
        Thread.onSpinWait();
      }
      assertThat(post(server, "key-of-bob", body(2, ""))).isEqualTo(200);
      assertThat(statuses(answers, 200, 429)[1]).isPositive();
      server.awaitIdle();
      assertThat(post(server, "key-of-ann", body(2, ""))).isEqualTo(200);
    }
  }

  @Test
  void aDeadlineThatPassesIsAnAnswer() {
    try (TestServer server = new TestServer()) {
      assertThat(post(server, "any", body(480, ",\"deadline\":0.001"))).isEqualTo(504);
      assertThat(post(server, "any", body(480, ",\"deadline\":0.0001"))).isEqualTo(504);
      assertThat(post(server, "any", body(480, ",\"deadline\":1e-12"))).isEqualTo(504);
      assertThat(post(server, "any", body(2, ",\"deadline\":60,\"priority\":-5"))).isEqualTo(200);
      server.awaitIdle();
    }
  }

  @Test
  void theSmallestPoolLosesNobody() throws Exception {
    try (TestServer server =
            new TestServer(
                m -> m.withPoolBytes(256 << 10).withContext(64).withQueueCapacity(400), o -> o);
        ExecutorService pool = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Integer>> answers = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        String prompt = body(20, "").replace("Once", "Number " + i % 20 + " of many");
        answers.add(pool.submit(() -> post(server, "any", prompt)));
      }
      long[] counts = statuses(answers, 200, 503);
      assertThat(counts[0] + counts[1]).isEqualTo(200);
      assertThat(counts[0]).isPositive();
      server.awaitIdle();
      assertThat(server.llm.stats().requests()).isEqualTo(200);
    }
  }
}
