package org.chunkllama.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import org.chunkllama.Prompt;
import org.chunkllama.server.tenant.ApiKeys;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class PrefixesTest {
  private static final String TEXT = "A long text that many questions begin with. ".repeat(3);

  private static TestServer server;

  @BeforeAll
  static void start() {
    ApiKeys keys =
        ApiKeys.of(Map.of("key-of-ann", "ann", "key-of-bob", "bob", "key-of-cat", "cat"));
    server = new TestServer(m -> m, o -> TestServer.options(keys, o.limits()));
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static HttpResponse<String> call(String key, String method, String path, String body) {
    return server.send(
        server
            .request(path, "")
            .method(method, HttpRequest.BodyPublishers.ofString(body))
            .header("Authorization", "Bearer " + key)
            .build());
  }

  private static JsonNode json(String key, String method, String path, Object body) {
    HttpResponse<String> response =
        call(key, method, path, TestServer.JSON.writeValueAsString(body));
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    return TestServer.JSON.readTree(response.body());
  }

  @Test
  void pinsAreTheirTenantsOwn() {
    JsonNode pin = json("key-of-ann", "POST", "/v1/prefixes", Map.of("prompt", TEXT));
    String id = pin.get("id").stringValue();
    assertThat(pin.get("tokens").intValue()).isPositive();
    assertThat(pin.get("expires_in").isNull()).isTrue();
    assertThat(json("key-of-ann", "GET", "/v1/prefixes", Map.of()).get("data").size()).isOne();
    assertThat(json("key-of-bob", "GET", "/v1/prefixes", Map.of()).get("data").size()).isZero();

    JsonNode tree = json("key-of-bob", "GET", "/v1/tree", Map.of());
    assertThat(tree.get("runs").toString()).contains("\"pinned\":true").doesNotContain("question");

    JsonNode usage =
        json(
                "key-of-ann",
                "POST",
                "/v1/completions",
                Map.of("prompt", TEXT + "Why?", "max_tokens", 1))
            .get("usage");
    assertThat(usage.get("prompt_tokens_details").get("cached_tokens").intValue())
        .isGreaterThan(pin.get("tokens").intValue() / 2);

    assertThat(call("key-of-bob", "DELETE", "/v1/prefixes/" + id, "").statusCode()).isEqualTo(404);
    assertThat(call("key-of-ann", "DELETE", "/v1/prefixes/" + id, "").statusCode()).isEqualTo(200);
    assertThat(call("key-of-ann", "DELETE", "/v1/prefixes/" + id, "").statusCode()).isEqualTo(404);
  }

  @Test
  void aPinIsWholeChunksAndOnceThere() {
    JsonNode pin = json("key-of-ann", "POST", "/v1/prefixes", Map.of("prompt", TEXT, "ttl", 100));
    int tokens = pin.get("tokens").intValue();
    int all = server.llm.encodePrefix(new Prompt.Raw(TEXT, true)).length;
    assertThat(tokens).isEqualTo(all / 16 * 16).isLessThan(all);
    JsonNode again = json("key-of-ann", "POST", "/v1/prefixes", Map.of("prompt", TEXT, "ttl", 900));
    assertThat(again.get("id")).isEqualTo(pin.get("id"));
    assertThat(again.get("expires_in").doubleValue()).isBetween(800.0, 900.0);
    JsonNode listed = json("key-of-ann", "GET", "/v1/prefixes", Map.of()).get("data");
    assertThat(listed.size()).isOne();
    assertThat(listed.get(0).get("tokens").intValue()).isEqualTo(tokens);
    assertThat(server.llm.prefixes()).hasSize(1);
    String path = "/v1/prefixes/" + pin.get("id").stringValue();
    assertThat(call("key-of-ann", "DELETE", path, "").statusCode()).isEqualTo(200);
    assertThat(server.llm.prefixes()).isEmpty();
  }

  @Test
  void aPrefixOfWhichNothingWouldBeKeptIsRefused() {
    HttpResponse<String> tiny = call("key-of-ann", "POST", "/v1/prefixes", "{\"prompt\":\"Hi\"}");
    assertThat(tiny.statusCode()).isEqualTo(400);
    assertThat(tiny.body()).contains("only chunks of 16 are kept");
    assertThat(json("key-of-ann", "GET", "/v1/prefixes", Map.of()).get("data").size()).isZero();
  }

  @Test
  void pinsExpire() throws InterruptedException {
    List<Map<String, String>> messages =
        List.of(Map.of("role", "system", "content", "You answer in one word. ".repeat(4)));
    Map<String, Object> body = Map.of("messages", messages, "ttl", 0.3);
    JsonNode pin = json("key-of-ann", "POST", "/v1/prefixes", body);
    assertThat(pin.get("expires_in").doubleValue()).isBetween(0.0, 0.3);
    JsonNode brief =
        json("key-of-ann", "POST", "/v1/prefixes", Map.of("prompt", TEXT, "ttl", 0.0004));
    assertThat(brief.get("expires_in").doubleValue()).isZero();
    Thread.sleep(400);
    assertThat(json("key-of-ann", "GET", "/v1/prefixes", Map.of()).get("data").size()).isZero();
  }

  @Test
  void retentionOfADayIsAPin() throws InterruptedException {
    for (String path : List.of("/v1/completions", "/v1/chat/completions", "/v1/responses")) {
      String text = path + " keeps this. " + TEXT;
      Map<String, Object> body =
          Map.of(
              "prompt",
              text,
              "input",
              text,
              "messages",
              List.of(Map.of("role", "user", "content", text)),
              "max_tokens",
              1,
              "prompt_cache_retention",
              "24h");
      json("key-of-cat", "POST", path, body);
      JsonNode pins = json("key-of-cat", "GET", "/v1/prefixes", Map.of()).get("data");
      for (int i = 0; i < 200 && pins.isEmpty(); i++) { // it is kept once it is answered
        Thread.sleep(10);
        pins = json("key-of-cat", "GET", "/v1/prefixes", Map.of()).get("data");
      }
      assertThat(pins.size()).as(path).isOne();
      assertThat(pins.get(0).get("expires_in").doubleValue()).isBetween(86_000.0, 86_400.0);
      call("key-of-cat", "DELETE", "/v1/prefixes/" + pins.get(0).get("id").stringValue(), "");
      HttpResponse<String> wrong =
          call(
              "key-of-cat",
              "POST",
              path,
              TestServer.JSON.writeValueAsString(body).replace("24h", "for ever"));
      assertThat(wrong.statusCode()).as(path).isEqualTo(400);
      assertThat(wrong.body()).contains("prompt_cache_retention");
    }
  }

  @Test
  void pinsLeaveRoomForRequests() {
    int refused = 0;
    for (int i = 0; i < 60; i++) {
      String own = i + " is the number of this text. " + "It fills the pool. ".repeat(15);
      HttpResponse<String> response =
          call(
              "key-of-bob",
              "POST",
              "/v1/prefixes",
              TestServer.JSON.writeValueAsString(Map.of("prompt", own, "ttl", 60)));
      refused += response.statusCode() == 429 ? 1 : 0;
    }
    assertThat(refused).isPositive();
    json("key-of-bob", "POST", "/v1/completions", Map.of("prompt", TEXT, "max_tokens", 4));
    for (JsonNode pin : json("key-of-bob", "GET", "/v1/prefixes", Map.of()).get("data").values()) {
      call("key-of-bob", "DELETE", "/v1/prefixes/" + pin.get("id").stringValue(), "");
    }
  }
}
