package org.chunkllama.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Clients that vanish, dawdle or send rubbish cost nothing that lasts. */
class FaultsTest {
  private static final String PATH = "/v1/completions";

  /** Long enough that nothing ends by itself while a test runs. */
  private static final String LONG =
      "{\"prompt\":\"Once\",\"max_tokens\":450,\"ignore_eos\":true,\"temperature\":0,\"n\":8";

  private static TestServer server;

  @BeforeAll
  static void start() {
    Limits limits =
        new Limits(
            20,
            64 << 10,
            8 << 10,
            0,
            Duration.ofMillis(700),
            Duration.ofMillis(700),
            Duration.ofMinutes(1));
    server =
        new TestServer(
            m -> m, o -> TestServer.options(org.chunkllama.server.tenant.ApiKeys.none(), limits));
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @AfterEach
  void allIsAccountedFor() {
    server.awaitIdle();
    assertThat(server.post(PATH, "{\"prompt\":\"a\",\"max_tokens\":2}").statusCode())
        .isEqualTo(200);
  }

  private static RawClient client() throws IOException {
    return new RawClient(server.server.port());
  }

  private static void awaitRunning() {
    long deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
    while (server.llm.stats().running() == 0) {
      assertThat(System.nanoTime()).isLessThan(deadline);
    }
  }

  /** Steps that the engine needs to notice that a running request's client is gone. */
  private static long stepsUntilIdle() {
    long before = server.llm.stats().steps();
    server.awaitIdle();
    return server.llm.stats().steps() - before;
  }

  @Test
  void aClientThatClosesWhileItWaitsCancelsItsRequest() throws IOException {
    long generated = server.llm.stats().generatedTokens();
    RawClient client = client().post(PATH, LONG + "}");
    awaitRunning();
    client.close();
    server.awaitIdle();
    assertThat(server.llm.stats().generatedTokens() - generated).isLessThan(8 * 450);
  }

  @Test
  void aClientThatSentMoreAndClosesCancelsItsRequest() throws Exception {
    long generated = server.llm.stats().generatedTokens();
    RawClient client = client().post(PATH, LONG + "}");
    awaitRunning();
    client.write("G"); // of its next request
    Thread.sleep(20);
    client.close();
    server.awaitIdle();
    assertThat(server.llm.stats().generatedTokens() - generated).isLessThan(8 * 450);
  }

  @Test
  void aClientThatClosesInTheMiddleOfAStreamCancelsItsRequest() throws IOException {
    long generated = server.llm.stats().generatedTokens();
    RawClient client = client().post(PATH, LONG + ",\"stream\":true}");
    client.readUntil("data: ");
    client.reset();
    assertThat(stepsUntilIdle()).isLessThan(100);
    assertThat(server.llm.stats().generatedTokens() - generated).isLessThan(8 * 450);
  }

  @Test
  void aChunkedBodyThatIsTooLargeIsToldSo() throws IOException {
    try (RawClient client = client()) {
      client.write("POST " + PATH + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
      client.write("18000\r\n" + "a".repeat(0x18000) + "\r\n0\r\n\r\n");
      assertThat(client.readUntil("larger than this server takes")).startsWith("HTTP/1.1 413");
    }
  }

  @Test
  void aMalformedChunkIsToldSo() throws IOException {
    try (RawClient client = client()) {
      client.write("POST " + PATH + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
      client.write("2\r\n{}\r\nxyz\r\n");
      assertThat(client.readAll()).startsWith("HTTP/1.1 400").contains("cannot be read");
    }
  }

  @Test
  void olderHttpIsToldWhatIsSpoken() throws IOException {
    try (RawClient client = client().write("GET /version HTTP/1.0\r\n\r\n")) {
      assertThat(client.readAll()).startsWith("HTTP/1.1 505").contains("speaks HTTP/1.1");
    }
  }

  @Test
  void aClientThatClosesAtAnyEarlierStage() throws IOException {
    String head = RawClient.head(PATH, 1000);
    for (int length : new int[] {1, 5, 20, head.length() - 1, head.length()}) {
      try (RawClient client = client()) {
        client.write(head.substring(0, length));
      }
      try (RawClient client = client()) {
        client.write(head.substring(0, length));
        client.reset();
      }
    }
    try (RawClient client = client()) {
      client.write(head + "{\"prompt\":");
    }
    client().close();
  }

  @Test
  void aClientThatDoesNotReadIsCutOff() throws IOException {
    String body = LONG.replace("\"n\":8", "\"n\":64") + ",\"stream\":true,\"logprobs\":20}";
    long before = System.nanoTime();
    try (RawClient client = client().post(PATH, body)) {
      awaitRunning();
      server.awaitIdle();
      assertThat(System.nanoTime() - before).isLessThan(Duration.ofSeconds(15).toNanos());
      assertThatThrownBy(() -> client.readUntil("[DONE]")).isInstanceOf(IOException.class);
    }
  }

  @Test
  void aRequestThatDripsIsCutOff() throws Exception {
    for (String slow :
        List.of("POST /v1/completions HTTP/1.1\r\n", RawClient.head(PATH, 1000) + "{")) {
      try (RawClient client = client().write(slow)) {
        long begin = System.nanoTime();
        assertThatThrownBy(
                () -> {
                  for (int i = 0; i < 100; i++) {
                    client.write("x");
                    Thread.sleep(50);
                  }
                })
            .isInstanceOf(IOException.class);
        assertThat(System.nanoTime() - begin).isLessThan(Duration.ofSeconds(4).toNanos());
      }
    }
    try (RawClient silent = client()) {
      assertThat(silent.readAll()).contains("408");
    }
  }

  @Test
  void hugeBodiesAreRefused() throws IOException {
    try (RawClient stated = client().write(RawClient.head(PATH, 1 << 30))) {
      assertThat(stated.readUntil("}}")).contains("413").contains("larger than this server takes");
    }
    String chunked =
        "POST %s HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".formatted(PATH);
    String chunk = "4000\r\n" + " ".repeat(0x4000) + "\r\n";
    try (RawClient client = client().write(chunked)) {
      for (int i = 0; i < 5; i++) {
        client.write(chunk);
      }
      assertThat(client.readUntil("}}")).contains("413");
    }
  }

  @Test
  void longHeadersAndRubbishAreRefused() throws IOException {
    try (RawClient client = client()) {
      client.write("GET / HTTP/1.1\r\nHost: localhost\r\nX: " + "a".repeat(10_000) + "\r\n\r\n");
      assertThat(client.readUntil("}}")).containsAnyOf("400", "431");
    }
    try (RawClient client = client().write("\0\1\2 rubbish\r\n\r\n")) {
      assertThat(client.readAll()).doesNotContain(" 200 ");
    }
  }

  @Test
  void connectionsBeyondTheLimitAreRefusedCleanly() throws IOException {
    List<RawClient> open = new ArrayList<>();
    int refused = 0;
    try {
      for (int i = 0; i < 60; i++) {
        RawClient client = client().write("GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n");
        open.add(client);
        refused += client.readUntil("}").contains("503") ? 1 : 0;
      }
    } finally {
      for (RawClient client : open) {
        client.close();
      }
    }
    assertThat(refused).isBetween(40, 59);
    awaitNoConnections();
  }

  private static void awaitNoConnections() throws IOException {
    while (true) {
      try (RawClient client = client()) {
        client.write("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
        if (client.readUntil("vllm:").contains("200 OK")) {
          return;
        }
      } catch (IOException _) {
        Thread.onSpinWait(); // refused: the others are not closed yet
      }
    }
  }

  @Test
  void clientsThatVanishAmongOthersHarmNobody() throws Exception {
    String body = LONG.replace("450", "60").replace("\"n\":8", "\"n\":2");
    String expected = server.post(PATH, body + "}").body().replaceAll("\"id.*?choices", "");
    try (ExecutorService pool = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<String>> answers = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        answers.add(pool.submit(() -> server.post(PATH, body + "}").body()));
        RawClient vanishing = client().post(PATH, body + (i % 2 == 0 ? ",\"stream\":true}" : "}"));
        if (i % 2 == 0) {
          vanishing.readUntil("data: ");
        }
        vanishing.reset();
      }
      for (Future<String> answer : answers) {
        String text = answer.get().replaceAll("\"id.*?choices", "");
        assertThat(text.replaceAll("\"usage.*", ""))
            .isEqualTo(expected.replaceAll("\"usage.*", ""));
      }
    }
  }

  /** Its deadline is a request's, not a connection's between two of them. */
  @Test
  void aConnectionMayRestBetweenRequests() throws Exception {
    String get = "GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n";
    String lost = "POST /v1/nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nabcd";
    try (RawClient client = new RawClient(server.server.port())) {
      for (String request : List.of(get, lost, get)) {
        client.write(request);
        boolean found = request.equals(get);
        assertThat(client.readUntil("\r\n")).startsWith("HTTP/1.1 " + (found ? 200 : 404));
        client.readUntil(found ? "}" : "}}");
        Thread.sleep(1200); // longer than a request may take to come
      }
    }
  }
}
