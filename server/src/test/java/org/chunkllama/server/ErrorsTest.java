package org.chunkllama.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.chunkllama.server.tenant.ApiKeys;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

/** What is wrong is answered with OpenAI's error object and the right status. */
class ErrorsTest {
  private static final String CHAT = "/v1/chat/completions";
  private static final String COMPLETIONS = "/v1/completions";
  private static final String HI = "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]";

  private static TestServer server;

  @BeforeAll
  static void start() {
    server = new TestServer();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  static Stream<Arguments> wrong() {
    return Stream.of(
        Arguments.of(CHAT, "", null, "empty"),
        Arguments.of(CHAT, "{", null, "not valid JSON"),
        Arguments.of(CHAT, "{\"a\":" + "[".repeat(5000), null, "nests too deeply"),
        Arguments.of(CHAT, "{\"a\":" + "1".repeat(2000) + "}", null, "number that is too long"),
        Arguments.of(CHAT, "{\"" + "a".repeat(60_000) + "\":1}", null, "name that is too long"),
        Arguments.of(CHAT, "[1]", null, "not a JSON object"),
        Arguments.of(CHAT, "{} {}", null, "not valid JSON"),
        Arguments.of(CHAT, "{\"messages\":\"hi\"}", "messages", "must be an array"),
        Arguments.of(CHAT, "{}", "messages", "at least one message"),
        Arguments.of(CHAT, "{\"messages\":[]}", "messages", "at least one message"),
        Arguments.of(CHAT, "{\"messages\":[1]}", "messages[0]", "must be an object"),
        Arguments.of(CHAT, "{\"messages\":[{}]}", "messages[0].role", "missing"),
        Arguments.of(
            CHAT,
            "{\"messages\":[{\"role\":\"user\",\"content\":7}]}",
            "messages[0].content",
            "or an array of text parts"),
        Arguments.of(
            CHAT,
            "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]}",
            "messages[0].content[0].type",
            "text only"),
        Arguments.of(
            CHAT, "{\"messages\":[{\"role\":\"user\"}]}", "messages[0].content", "missing"),
        Arguments.of(
            CHAT,
            "{\"messages\":[{\"role\":\"user\",\"content\":{}}]}",
            "messages[0].content",
            "text parts"),
        Arguments.of("/v1/responses", "{\"input\":5}", "input", "a string or an array"),
        Arguments.of(
            CHAT,
            "{" + HI + ",\"response_format\":{\"type\":\"json_schema\"}}",
            "response_format.json_schema",
            "missing"),
        Arguments.of(CHAT, "{" + HI + ",\"temperature\":\"hot\"}", "temperature", "a number"),
        Arguments.of(CHAT, "{" + HI + ",\"temperature\":3}", "temperature", "from 0"),
        Arguments.of(CHAT, "{" + HI + ",\"max_tokens\":1.5}", "max_tokens", "an integer"),
        Arguments.of(CHAT, "{" + HI + ",\"max_tokens\":0}", "max_tokens", "from 1"),
        Arguments.of(CHAT, "{" + HI + ",\"max_tokens\":99999999999999}", "max_tokens", "from 1"),
        Arguments.of(CHAT, "{" + HI + ",\"n\":0}", "n", "from 1"),
        Arguments.of(CHAT, "{" + HI + ",\"stream\":\"yes\"}", "stream", "a boolean"),
        Arguments.of(CHAT, "{" + HI + ",\"stream_options\":{}}", "stream_options", "only when"),
        Arguments.of(CHAT, "{" + HI + ",\"stop\":[1]}", "stop", "array of strings"),
        Arguments.of(CHAT, "{" + HI + ",\"stop\":[\"\"]}", "stop", "none empty"),
        Arguments.of(CHAT, "{" + HI + ",\"top_logprobs\":2}", "top_logprobs", "needs"),
        Arguments.of(CHAT, "{" + HI + ",\"logit_bias\":{\"x\":1}}", "logit_bias.x", "no token id"),
        Arguments.of(CHAT, "{" + HI + ",\"logit_bias\":{\"5\":101}}", "logit_bias.5", "from -100"),
        Arguments.of(CHAT, "{" + HI + ",\"top_p\":0}", "top_p", "above 0"),
        Arguments.of(CHAT, "{" + HI + ",\"cache_salt\":5}", "cache_salt", "a string"),
        Arguments.of(CHAT, "{" + HI + ",\"model\":5}", "model", "a string"),
        Arguments.of(COMPLETIONS, "{}", "prompt", "missing"),
        Arguments.of(COMPLETIONS, "{\"prompt\":[]}", "prompt", "from 1"),
        Arguments.of(COMPLETIONS, "{\"prompt\":[[]]}", "prompt", "empty"),
        Arguments.of(COMPLETIONS, "{\"prompt\":[1,-2]}", "prompt", "token ids"),
        Arguments.of(COMPLETIONS, "{\"prompt\":[99999]}", null, "vocabulary"),
        Arguments.of(COMPLETIONS, "{\"prompt\":\"a\",\"suffix\":\"b\"}", "suffix", "not supported"),
        Arguments.of(
            COMPLETIONS, "{\"prompt\":\"a\",\"echo\":true,\"logprobs\":1}", "echo", "supported"),
        Arguments.of(COMPLETIONS, "{\"prompt\":\"a\",\"n\":3,\"best_of\":2}", "best_of", "least n"),
        Arguments.of("/tokenize", "{}", "prompt", "missing"),
        Arguments.of("/detokenize", "{}", "tokens", "missing"),
        Arguments.of("/detokenize", "{\"tokens\":[\"a\"]}", "tokens", "token ids"));
  }

  @ParameterizedTest
  @MethodSource("wrong")
  void wrongRequestsNameTheField(String path, String body, String param, String message) {
    HttpResponse<String> response = server.post(path, body);
    assertThat(response.statusCode()).as(response.body()).isEqualTo(400);
    JsonNode error = TestServer.JSON.readTree(response.body()).get("error");
    assertThat(error.get("type").stringValue()).isEqualTo("invalid_request_error");
    assertThat(error.get("message").stringValue()).contains(message);
    assertThat(error.get("param").stringValue(null)).isEqualTo(param);
    assertThat(error.has("code")).isTrue();
  }

  @Test
  void unknownFieldsAndNullsAreIgnored() {
    String body = "{" + HI + ",\"max_tokens\":1,\"foo\":{\"bar\":1},\"temperature\":null}";
    assertThat(server.post(CHAT, body).statusCode()).isEqualTo(200);
  }

  @Test
  void wrongUtf8() {
    byte[] body = ("{" + HI + "}").getBytes(java.nio.charset.StandardCharsets.UTF_8);
    body[body.length - 6] = (byte) 0xff;
    HttpResponse<String> response =
        server.send(server.request(CHAT, "").POST(BodyPublishers.ofByteArray(body)).build());
    assertThat(response.statusCode()).isEqualTo(400);
    assertThat(response.body()).contains("UTF-8");
  }

  @Test
  void unknownModelAndPath() {
    HttpResponse<String> model = server.post(CHAT, "{" + HI + ",\"model\":\"gpt-9\"}");
    assertThat(model.statusCode()).isEqualTo(404);
    assertThat(model.body()).contains("model_not_found").contains("random");
    assertThat(server.get("/v1/models/gpt-9").statusCode()).isEqualTo(404);
    assertThat(server.get("/v1/models/random").statusCode()).isEqualTo(200);
    assertThat(server.get("/v2").statusCode()).isEqualTo(404);
    HttpResponse<String> wrong = server.get(CHAT);
    assertThat(wrong.statusCode()).isEqualTo(405);
    assertThat(wrong.headers().firstValue("Allow")).hasValue("POST");
    HttpResponse<String> put = server.post("/v1/prefixes/1", "{}");
    assertThat(server.post("/version", "{}").headers().firstValue("Allow")).hasValue("GET, HEAD");
    assertThat(put.headers().firstValue("Allow")).hasValue("DELETE");
  }

  @Test
  void headIsGetWithoutABody() throws IOException {
    try (RawClient client = new RawClient(server.server.port())) {
      for (String path : List.of("/ready", "/version", "/v2")) {
        String body = server.get(path).body();
        client.write("HEAD " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
        String head = client.readUntil("\r\n\r\n");
        assertThat(head).startsWith(path.equals("/v2") ? "HTTP/1.1 404" : "HTTP/1.1 200");
        assertThat(head).contains("Content-Length: " + body.length() + "\r\n");
      }
      client.write("GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n");
      assertThat(client.readUntil("\n\r\n")).startsWith("HTTP/1.1 200"); // nothing was left over
    }
  }

  @Test
  void tooLongAPrompt() {
    HttpResponse<String> response =
        server.post(COMPLETIONS, "{\"prompt\":\"%s\"}".formatted("xy ".repeat(500)));
    assertThat(response.statusCode()).isEqualTo(400);
    assertThat(response.body()).contains("context_length_exceeded");
  }

  @Test
  void aPromptThatNeverFitsThePool() {
    try (TestServer small = new TestServer(m -> m.withPoolBytes(64 << 10), o -> o)) {
      HttpResponse<String> response =
          small.post(COMPLETIONS, "{\"prompt\":\"%s\"}".formatted("xy ".repeat(100)));
      assertThat(response.statusCode()).isEqualTo(400);
      assertThat(response.body())
          .contains("context_length_exceeded")
          .contains("the KV pool holds")
          .contains("--kv-memory");
    }
  }

  @Test
  void promptsMayBeLimited() {
    Limits d = Limits.defaults();
    Limits limits =
        new Limits(
            d.connections(),
            d.bodyBytes(),
            d.headerBytes(),
            20,
            d.requestTime(),
            d.writeTime(),
            d.idleTime());
    try (TestServer strict =
        new TestServer(m -> m, o -> TestServer.options(ApiKeys.none(), limits))) {
      assertThat(strict.post(COMPLETIONS, tokens(20)).statusCode()).isEqualTo(200);
      HttpResponse<String> refused = strict.post(COMPLETIONS, tokens(21));
      assertThat(refused.statusCode()).isEqualTo(400);
      assertThat(refused.body())
          .contains("context_length_exceeded")
          .contains("21 tokens, this server takes 20");
      String chat =
          "{\"max_tokens\":2,\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}"
              .formatted("a word ".repeat(40));
      for (String path : List.of(CHAT, "/v1/messages", "/v1/prefixes")) {
        HttpResponse<String> answer = strict.post(path, chat);
        assertThat(answer.statusCode()).as(path).isEqualTo(400);
        assertThat(answer.body()).as(path).contains("this server takes 20");
      }
    }
  }

  private static String tokens(int count) {
    return "{\"prompt\":%s,\"max_tokens\":2}"
        .formatted(IntStream.range(10, 10 + count).boxed().toList());
  }

  @Test
  void keysAreAskedForAndSeparateTenants() {
    ApiKeys keys = ApiKeys.of(Map.of("key-of-ann", "ann", "key-of-bob", "bob"));
    try (TestServer guarded = new TestServer(m -> m, o -> TestServer.options(keys, o.limits()))) {
      String body =
          "{\"prompt\":\"%s\",\"max_tokens\":1}".formatted("the same prompt for both ".repeat(4));
      assertThat(guarded.post(COMPLETIONS, body).statusCode()).isEqualTo(401);
      assertThat(guarded.get("/health").statusCode()).isEqualTo(200);
      assertThat(guarded.get("/v1/models").statusCode()).isEqualTo(401);
      assertThat(cached(guarded, body, "key-of-ann")).isZero();
      assertThat(cached(guarded, body, "key-of-ann")).isPositive();
      assertThat(cached(guarded, body, "key-of-bob")).isZero();
    }
  }

  private static int cached(TestServer guarded, String body, String key) {
    HttpResponse<String> response =
        guarded.send(
            guarded.request(COMPLETIONS, body).header("Authorization", "Bearer " + key).build());
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    return TestServer.JSON
        .readTree(response.body())
        .get("usage")
        .get("prompt_tokens_details")
        .get("cached_tokens")
        .intValue();
  }

  @Test
  void requestIdsComeBack() {
    HttpResponse<String> own =
        server.send(
            server
                .request("/tokenize", "{\"prompt\":\"a\"}")
                .header("x-request-id", "r-7")
                .build());
    assertThat(own.headers().firstValue("x-request-id")).contains("r-7");
    HttpResponse<String> ours =
        server.send(server.request("/tokenize", "{}").header("x-request-id", "no good id").build());
    assertThat(ours.headers().firstValue("x-request-id").orElseThrow()).hasSize(32);
  }

  @Test
  void probesAnswer() {
    assertThat(server.get("/health").statusCode()).isEqualTo(200);
    assertThat(server.get("/ready").statusCode()).isEqualTo(200);
    assertThat(server.get("/version").body()).isEqualTo("{\"version\":\"test\"}");
    assertThat(server.get("/").body()).contains("curl").contains("random");
    assertThat(server.get("/metrics").body()).contains("vllm:num_requests_running");
  }
}
