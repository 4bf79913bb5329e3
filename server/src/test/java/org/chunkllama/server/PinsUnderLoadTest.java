package org.chunkllama.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Pins while the engine, which runs one sequence at a time here, is busy with others. */
@Timeout(120)
class PinsUnderLoadTest {
  private final List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
  private TestServer server = new TestServer(m -> m.withMaxSequences(1), o -> o);

  @AfterEach
  void stop() {
    server.close();
  }

  private void begin(String path, String body) {
    answers.add(
        server.client.sendAsync(server.request(path, body).build(), BodyHandlers.ofString()));
  }

  private static String answer(int tokens, String more) {
    return "{\"prompt\":\"%s\",\"max_tokens\":%d,\"ignore_eos\":true%s}"
        .formatted("Once upon a time there was a server. ", tokens, more);
  }

  private static String prefix(int number) {
    return "{\"prompt\":\"%d is what this long enough text begins with.\"}".formatted(number);
  }

  private void awaitWaiting(int waiting) {
    while (server.llm.stats().waiting() < waiting) {
      Thread.onSpinWait();
    }
  }

  @Test
  void pinsDoNotWaitForEachOther() {
    begin("/v1/completions", answer(450, ""));
    while (server.llm.stats().running() == 0) {
      Thread.onSpinWait();
    }
    begin("/v1/completions", answer(450, ""));
    for (int i = 0; i < 4; i++) {
      begin("/v1/prefixes", prefix(i));
    }
    awaitWaiting(5); // all four are in the engine's queue, behind the second answer
    answers.forEach(one -> assertThat(one.join().statusCode()).isEqualTo(200));
    assertThat(server.llm.prefixes()).hasSize(4);
  }

  @Test
  void aFullQueueIsAnAnswerToAPinToo() {
    server.close();
    server = new TestServer(m -> m.withMaxSequences(1).withQueueCapacity(1), o -> o);
    begin("/v1/completions", answer(450, ""));
    while (server.llm.stats().running() == 0) {
      Thread.onSpinWait();
    }
    begin("/v1/completions", answer(450, ""));
    awaitWaiting(1);
    HttpResponse<String> full = server.post("/v1/prefixes", prefix(1));
    assertThat(full.statusCode()).as(full.body()).isEqualTo(429);
    assertThat(full.body()).contains("queue_full");
    answers.forEach(one -> assertThat(one.join().statusCode()).isEqualTo(200));
    assertThat(server.post("/v1/prefixes", prefix(1)).statusCode()).isEqualTo(200); // room is back
  }

  @Test
  void whatIsKeptAfterAnAnswerDoesNotHoldItsConnection() throws IOException {
    try (RawClient client = new RawClient(server.server.port())) {
      begin("/v1/completions", answer(300, ""));
      while (server.llm.stats().running() == 0) {
        Thread.onSpinWait();
      }
      client.post("/v1/completions", answer(1, ",\"prompt_cache_retention\":\"24h\""));
      awaitWaiting(1);
      for (int i = 0; i < 8; i++) {
        begin("/v1/completions", answer(450, ""));
      }
      awaitWaiting(9);
      client.readUntil("text_completion");
      client.post("/tokenize", "{\"prompt\":\"Hi\"}").readUntil("\"count\"");
      assertThat(answers.getLast().isDone()).isFalse(); // the pin's turn is after all of them
      assertThat(server.llm.prefixes()).isEmpty();
      answers.forEach(one -> assertThat(one.join().statusCode()).isEqualTo(200));
      while (server.llm.prefixes().isEmpty()) {
        Thread.onSpinWait();
      }
    }
  }

  @Test
  void aPinNobodyWaitsForAnyMoreIsNotComputed() throws IOException {
    begin("/v1/completions", answer(450, ""));
    while (server.llm.stats().running() == 0) {
      Thread.onSpinWait();
    }
    begin("/v1/completions", answer(450, ""));
    awaitWaiting(1);
    try (RawClient client = new RawClient(server.server.port())) {
      client.post("/v1/prefixes", prefix(1));
      awaitWaiting(2);
    }
    while (server.llm.stats().waiting() > 1) {
      Thread.onSpinWait();
    }
    answers.forEach(one -> assertThat(one.join().statusCode()).isEqualTo(200));
    server.awaitIdle();
    assertThat(server.llm.prefixes()).isEmpty();
  }
}
