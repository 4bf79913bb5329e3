package org.chunkllama.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** {@code /v1/responses} and {@code /v1/messages} answer as {@code /v1/chat/completions} does. */
class OtherApisTest {
  private static TestServer server;

  @BeforeAll
  static void start() {
    server = new TestServer();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static String chat() {
    Map<String, Object> body = TestServer.chat("Hello there", Map.of());
    body.put(
        "messages",
        List.of(
            Map.of("role", "system", "content", "Be brief."),
            Map.of("role", "user", "content", "Hello there")));
    return server
        .json("/v1/chat/completions", body)
        .get("choices")
        .get(0)
        .get("message")
        .get("content")
        .stringValue();
  }

  private static Map<String, Object> with(Map<String, ?> body, String field, Object value) {
    Map<String, Object> more = new LinkedHashMap<>(body);
    more.put(field, value);
    return more;
  }

  /** Events by their names; each name must be its data's type. */
  private static List<JsonNode> events(String path, Map<String, ?> body) {
    HttpResponse<String> response =
        server.post(path, TestServer.JSON.writeValueAsString(with(body, "stream", true)));
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    List<JsonNode> events = new ArrayList<>();
    for (String frame : response.body().split("\n\n", -1)) {
      if (!frame.isEmpty()) {
        String[] lines = frame.split("\n", -1);
        JsonNode data = TestServer.JSON.readTree(lines[1].substring("data: ".length()));
        assertThat(lines[0]).isEqualTo("event: " + data.get("type").stringValue());
        events.add(data);
      }
    }
    return events;
  }

  private static List<String> types(List<JsonNode> events) {
    List<String> types = new ArrayList<>();
    for (JsonNode event : events) {
      String type = event.get("type").stringValue();
      if (types.isEmpty() || !types.getLast().equals(type)) {
        types.add(type);
      }
    }
    return types;
  }

  private static final Map<String, Object> RESPONSE =
      Map.of(
          "model",
          "random",
          "instructions",
          "Be brief.",
          "input",
          List.of(
              Map.of(
                  "role",
                  "user",
                  "content",
                  List.of(Map.of("type", "input_text", "text", "Hello there")))),
          "max_output_tokens",
          12,
          "temperature",
          0);

  @Test
  void responses() {
    JsonNode answer = server.json("/v1/responses", RESPONSE);
    assertThat(answer.get("object").stringValue()).isEqualTo("response");
    JsonNode message = answer.get("output").get(0);
    assertThat(message.get("content").get(0).get("text").stringValue()).isEqualTo(chat());
    assertThat(answer.get("status").stringValue()).isIn("completed", "incomplete");
    assertThat(answer.get("usage").get("output_tokens").intValue()).isBetween(1, 12);
    assertThat(answer.get("instructions").stringValue()).isEqualTo("Be brief.");
  }

  @Test
  void streamedResponses() {
    List<JsonNode> events = events("/v1/responses", RESPONSE);
    String status = events.getLast().get("response").get("status").stringValue();
    assertThat(types(events))
        .containsExactly(
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response." + status);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < events.size(); i++) {
      assertThat(events.get(i).get("sequence_number").intValue()).isEqualTo(i);
      text.append(events.get(i).path("delta").asString(""));
    }
    assertThat(text.toString()).isEqualTo(chat());
  }

  /** As OpenAI's: the open item ends incomplete, then the response does. */
  @Test
  void aResponseCutOffIsIncomplete() {
    Map<String, Object> body = with(with(RESPONSE, "ignore_eos", true), "max_output_tokens", 5);
    JsonNode whole = server.json("/v1/responses", body);
    assertThat(whole.get("status").stringValue()).isEqualTo("incomplete");
    assertThat(whole.get("incomplete_details").get("reason").stringValue())
        .isEqualTo("max_output_tokens");
    assertThat(whole.get("output").get(0).get("status").stringValue()).isEqualTo("incomplete");

    List<JsonNode> events = events("/v1/responses", body);
    assertThat(types(events))
        .endsWith(
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.incomplete");
    JsonNode item = events.get(events.size() - 2).get("item");
    assertThat(item.get("status").stringValue()).isEqualTo("incomplete");
    JsonNode last = events.getLast().get("response");
    assertThat(last.get("status").stringValue()).isEqualTo("incomplete");
    assertThat(last.get("incomplete_details").get("reason").stringValue())
        .isEqualTo("max_output_tokens");
    assertThat(last.get("output").get(0)).isEqualTo(item);
    assertThat(last.get("usage").get("output_tokens").intValue()).isEqualTo(5);
  }

  @Test
  void responsesAreNotStored() {
    HttpResponse<String> response =
        server.post("/v1/responses", "{\"input\":\"hi\",\"previous_response_id\":\"resp_1\"}");
    assertThat(response.statusCode()).isEqualTo(400);
    assertThat(response.body()).contains("previous_response_id");
  }

  private static final Map<String, Object> MESSAGE =
      Map.of(
          "model",
          "random",
          "system",
          "Be brief.",
          "messages",
          List.of(Map.of("role", "user", "content", "Hello there")),
          "max_tokens",
          12,
          "temperature",
          0);

  @Test
  void messages() {
    JsonNode answer = server.json("/v1/messages", MESSAGE);
    assertThat(answer.get("type").stringValue()).isEqualTo("message");
    assertThat(answer.get("content").get(0).get("text").stringValue()).isEqualTo(chat());
    assertThat(answer.get("stop_reason").stringValue()).isIn("max_tokens", "end_turn");
    JsonNode stopped =
        server.json(
            "/v1/messages", with(MESSAGE, "stop_sequences", List.of(chat().substring(2, 4))));
    assertThat(stopped.get("stop_reason").stringValue()).isEqualTo("stop_sequence");
    assertThat(stopped.get("stop_sequence").stringValue()).isEqualTo(chat().substring(2, 4));
  }

  @Test
  void streamedMessages() {
    List<JsonNode> events = events("/v1/messages", MESSAGE);
    assertThat(types(events))
        .containsExactly(
            "message_start",
            "content_block_start",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop");
    StringBuilder text = new StringBuilder();
    for (JsonNode event : events) {
      if (event.get("type").stringValue().equals("content_block_delta")) {
        text.append(event.get("delta").get("text").stringValue());
      }
    }
    assertThat(text.toString()).isEqualTo(chat());
    int start = events.getFirst().get("message").get("usage").get("input_tokens").intValue();
    JsonNode usage = events.get(events.size() - 2).get("usage");
    assertThat(
            usage.get("input_tokens").intValue() + usage.get("cache_read_input_tokens").intValue())
        .isEqualTo(start);
  }

  @Test
  void cacheControlPinsWhatItMarks() {
    String system = "A long instruction that is always the same. ".repeat(4);
    Map<String, Object> block =
        Map.of("type", "text", "text", system, "cache_control", Map.of("type", "ephemeral"));
    Map<String, Object> body = with(MESSAGE, "system", List.of(block));
    server.json("/v1/messages", body);
    JsonNode pins = awaitPin();
    assertThat(pins.get(0).get("tokens").intValue()).isGreaterThan(50);
    assertThat(pins.get(0).get("expires_in").doubleValue()).isBetween(250.0, 300.0);
    JsonNode usage = server.json("/v1/messages", body).get("usage");
    assertThat(usage.get("cache_read_input_tokens").intValue()).isGreaterThan(50);
    assertThat(awaitPin().size()).isOne();
  }

  private static JsonNode awaitPin() {
    while (true) { // kept after the answer
      JsonNode pins = TestServer.JSON.readTree(server.get("/v1/prefixes").body()).get("data");
      if (!pins.isEmpty()) {
        return pins;
      }
    }
  }

  @Test
  void anthropicErrors() {
    HttpResponse<String> response = server.post("/v1/messages", "{\"messages\":[]}");
    assertThat(response.statusCode()).isEqualTo(400);
    JsonNode error = TestServer.JSON.readTree(response.body());
    assertThat(error.get("type").stringValue()).isEqualTo("error");
    assertThat(error.get("error").get("type").stringValue()).isEqualTo("invalid_request_error");
    String image =
        "{\"max_tokens\":1,\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\"}]}]}";
    assertThat(server.post("/v1/messages", image).body()).contains("text only");
  }

  @Test
  void toolsNeedATemplateThatKnowsThem() {
    Map<String, Object> tool =
        Map.of("type", "function", "function", Map.of("name", "f", "parameters", Map.of()));
    HttpResponse<String> response =
        server.post(
            "/v1/chat/completions",
            TestServer.JSON.writeValueAsString(
                TestServer.chat("hi", Map.of("tools", List.of(tool)))));
    assertThat(response.statusCode()).isEqualTo(400);
    assertThat(response.body()).contains("template knows none");
  }
}
