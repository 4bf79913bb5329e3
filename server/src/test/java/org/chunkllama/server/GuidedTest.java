package org.chunkllama.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Answers of a form that the request states, from a model that knows no forms. */
class GuidedTest {
  private static final Map<String, Object> SCHEMA =
      Map.of(
          "type",
          "object",
          "properties",
          Map.of(
              "colour", Map.of("enum", List.of("red", "green")),
              "size", Map.of("type", "integer", "minimum", 0, "maximum", 99)),
          "required",
          List.of("colour", "size"),
          "additionalProperties",
          false);

  private static TestServer server;

  @BeforeAll
  static void start() {
    server = new TestServer();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static String chat(Map<String, ?> more) {
    Map<String, Object> body = TestServer.chat("Hello there", more);
    body.put("max_tokens", 200);
    body.put("temperature", 1);
    body.put("seed", 11);
    return server
        .json("/v1/chat/completions", body)
        .get("choices")
        .get(0)
        .get("message")
        .get("content")
        .stringValue();
  }

  private static void checkSchema(String text) {
    JsonNode json = TestServer.JSON.readTree(text);
    assertThat(json.get("colour").stringValue()).isIn("red", "green");
    assertThat(json.get("size").intValue()).isBetween(0, 99);
    assertThat(json.size()).isEqualTo(2);
  }

  @Test
  void jsonSchema() {
    Map<String, Object> format =
        Map.of("type", "json_schema", "json_schema", Map.of("name", "thing", "schema", SCHEMA));
    checkSchema(chat(Map.of("response_format", format)));
    checkSchema(chat(Map.of("guided_json", SCHEMA)));
    checkSchema(chat(Map.of("structured_outputs", Map.of("json", SCHEMA))));
  }

  @Test
  void regexAndChoice() {
    assertThat(chat(Map.of("guided_regex", "[a-c]{3}-\\d\\d"))).matches("[a-c]{3}-\\d\\d");
    assertThat(chat(Map.of("guided_choice", List.of("yes", "no")))).isIn("yes", "no");
  }

  @Test
  void responsesTakeASchemaToo() {
    Map<String, Object> format = Map.of("type", "json_schema", "name", "thing", "schema", SCHEMA);
    JsonNode answer =
        server.json(
            "/v1/responses",
            Map.of(
                "input",
                "Hello there",
                "max_output_tokens",
                200,
                "seed",
                3,
                "text",
                Map.of("format", format)));
    checkSchema(answer.get("output").get(0).get("content").get(0).get("text").stringValue());
  }

  @Test
  void whatCannotBeGuidedIsRefused() {
    assertThat(status(Map.of("guided_regex", "(a"))).isEqualTo(400);
    assertThat(status(Map.of("guided_regex", "a", "guided_choice", List.of("b")))).isEqualTo(400);
    assertThat(status(Map.of("response_format", Map.of("type", "xml")))).isEqualTo(400);
    assertThat(status(Map.of("guided_json", Map.of("not", Map.of())))).isEqualTo(400);
  }

  private static int status(Map<String, ?> more) {
    HttpResponse<String> response =
        server.post(
            "/v1/chat/completions",
            TestServer.JSON.writeValueAsString(TestServer.chat("hi", more)));
    return response.statusCode();
  }
}
