package org.chunkllama.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Calls that a request forces, from a model that knows no tools but whose template does. */
class ToolsTest {
  private static final String TEMPLATE =
      "{% if tools %}<|im_start|>system\n{{ tools | tojson }}"
          + "Write <tool_call>{...}</tool_call><|im_end|>\n{% endif %}"
          + "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n'"
          + " + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
          + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

  private static final Map<String, Object> ARGUMENTS =
      Map.of(
          "type",
          "object",
          "properties",
          Map.of("city", Map.of("enum", List.of("Rome", "Oslo"))),
          "required",
          List.of("city"),
          "additionalProperties",
          false);

  private static TestServer server;

  @BeforeAll
  static void start() {
    server = TestServer.withTemplate(TEMPLATE);
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static Map<String, Object> tool(String name) {
    return Map.of("type", "function", "function", Map.of("name", name, "parameters", ARGUMENTS));
  }

  private static Map<String, Object> body(Object choice) {
    Map<String, Object> more = new LinkedHashMap<>();
    more.put("tools", List.of(tool("weather"), tool("time")));
    more.put("tool_choice", choice);
    more.put("parallel_tool_calls", false);
    more.put("max_tokens", 200);
    return TestServer.chat("Rome?", more);
  }

  private static void check(JsonNode function, String... names) {
    assertThat(function.get("name").stringValue()).isIn((Object[]) names);
    JsonNode arguments = TestServer.JSON.readTree(function.get("arguments").stringValue());
    assertThat(arguments.get("city").stringValue()).isIn("Rome", "Oslo");
  }

  @Test
  void requiredAndNamed() {
    JsonNode choice = server.json("/v1/chat/completions", body("required")).get("choices").get(0);
    assertThat(choice.get("finish_reason").stringValue()).isEqualTo("tool_calls");
    assertThat(choice.get("message").get("content").isNull()).isTrue();
    JsonNode calls = choice.get("message").get("tool_calls");
    assertThat(calls.size()).isOne();
    assertThat(calls.get(0).get("id").stringValue()).startsWith("call_");
    check(calls.get(0).get("function"), "weather", "time");

    Map<String, Object> named = Map.of("type", "function", "function", Map.of("name", "time"));
    JsonNode forced = server.json("/v1/chat/completions", body(named)).get("choices").get(0);
    check(forced.get("message").get("tool_calls").get(0).get("function"), "time");
  }

  @Test
  void noneWritesText() {
    JsonNode choice = server.json("/v1/chat/completions", body("none")).get("choices").get(0);
    assertThat(choice.get("message").has("tool_calls")).isFalse();
    JsonNode auto = server.json("/v1/chat/completions", body("auto")).get("choices").get(0);
    assertThat(auto.get("message").get("content").isString()).isTrue();
  }

  @Test
  void streamed() {
    Map<String, Object> body = body("required");
    body.put("stream", true);
    StringBuilder name = new StringBuilder();
    StringBuilder arguments = new StringBuilder();
    int parts = 0;
    String reason = "";
    for (JsonNode event : server.events("/v1/chat/completions", body)) {
      JsonNode choice = event.get("choices").get(0);
      for (JsonNode call : choice.get("delta").path("tool_calls").values()) {
        name.append(call.get("function").path("name").asString(""));
        parts++;
        arguments.append(call.get("function").get("arguments").stringValue());
      }
      reason = choice.get("finish_reason").asString("");
    }
    assertThat(reason).isEqualTo("tool_calls");
    assertThat(parts).as("a head and pieces of the arguments").isGreaterThan(3);
    check(
        TestServer.JSON.valueToTree(
            Map.of("name", name.toString(), "arguments", arguments.toString())),
        "weather",
        "time");
  }

  private static final Map<String, Object> MESSAGE =
      Map.of(
          "max_tokens", 200,
          "messages", List.of(Map.of("role", "user", "content", "Rome?")),
          "tools", List.of(Map.of("name", "weather", "input_schema", ARGUMENTS)),
          "tool_choice", Map.of("type", "tool", "name", "weather"));

  private static final Map<String, Object> RESPONSE =
      Map.of(
          "input",
          "Rome?",
          "max_output_tokens",
          200,
          "tools",
          List.of(Map.of("type", "function", "name", "weather", "parameters", ARGUMENTS)),
          "tool_choice",
          Map.of("type", "function", "name", "weather"));

  private static List<JsonNode> named(String path, Map<String, Object> body) {
    Map<String, Object> streamed = new LinkedHashMap<>(body);
    streamed.put("stream", true);
    return server
        .post(path, TestServer.JSON.writeValueAsString(streamed))
        .body()
        .lines()
        .filter(line -> line.startsWith("data: "))
        .map(line -> TestServer.JSON.readTree(line.substring(6)))
        .toList();
  }

  private static List<JsonNode> ofType(List<JsonNode> events, String type) {
    return events.stream().filter(e -> e.get("type").stringValue().equals(type)).toList();
  }

  @Test
  void otherApisStreamArgumentsInPieces() {
    List<JsonNode> message = named("/v1/messages", MESSAGE);
    StringBuilder input = new StringBuilder();
    List<JsonNode> deltas = ofType(message, "content_block_delta");
    for (JsonNode event : deltas) {
      assertThat(event.at("/delta/type").stringValue()).isEqualTo("input_json_delta");
      input.append(event.at("/delta/partial_json").stringValue());
    }
    assertThat(deltas).hasSizeGreaterThan(2);
    assertThat(TestServer.JSON.readTree(input.toString()).get("city").stringValue())
        .isIn("Rome", "Oslo");
    assertThat(ofType(message, "content_block_start")).hasSize(1);
    assertThat(ofType(message, "content_block_stop")).hasSize(1);
    assertThat(ofType(message, "message_delta").getFirst().at("/delta/stop_reason").stringValue())
        .isEqualTo("tool_use");

    List<JsonNode> response = named("/v1/responses", RESPONSE);
    StringBuilder arguments = new StringBuilder();
    List<JsonNode> parts = ofType(response, "response.function_call_arguments.delta");
    parts.forEach(event -> arguments.append(event.get("delta").stringValue()));
    assertThat(parts).hasSizeGreaterThan(2);
    JsonNode done = ofType(response, "response.function_call_arguments.done").getFirst();
    assertThat(done.get("arguments").stringValue()).isEqualTo(arguments.toString());
    JsonNode call = response.getLast().at("/response/output/0");
    check(call, "weather");
    assertThat(call.get("status").stringValue()).isEqualTo("completed");
    assertThat(call.get("id")).isEqualTo(done.get("item_id"));
  }

  @Test
  void aCallThatIsCutOffSaysSo() {
    Map<String, Object> body = body("required");
    body.put("max_tokens", 30);
    body.put("stream", true);
    List<JsonNode> events = server.events("/v1/chat/completions", body);
    assertThat(events.getLast().at("/choices/0/finish_reason").stringValue()).isEqualTo("length");
    Map<String, Object> response = new LinkedHashMap<>(RESPONSE);
    response.put("max_output_tokens", 40);
    List<JsonNode> cut = named("/v1/responses", response);
    assertThat(cut.getLast().get("type").stringValue()).isEqualTo("response.incomplete");
    assertThat(ofType(cut, "response.output_item.done").getLast().at("/item/status").stringValue())
        .isEqualTo("incomplete");
  }

  @Test
  void otherApis() {
    JsonNode message = server.json("/v1/messages", MESSAGE);
    assertThat(message.get("stop_reason").stringValue()).isEqualTo("tool_use");
    JsonNode use = message.get("content").get(0);
    assertThat(use.get("input").get("city").stringValue()).isIn("Rome", "Oslo");

    JsonNode response = server.json("/v1/responses", RESPONSE);
    check(response.get("output").get(0), "weather");
  }

  @Test
  void resultsAreGivenBack() {
    Map<String, Object> call =
        Map.of(
            "id", "call_1",
            "type", "function",
            "function", Map.of("name", "weather", "arguments", "{\"city\":\"Rome\"}"));
    Map<String, Object> body = body("none");
    body.put(
        "messages",
        List.of(
            Map.of("role", "user", "content", "Rome?"),
            Map.of("role", "assistant", "content", "", "tool_calls", List.of(call)),
            Map.of("role", "tool", "tool_call_id", "call_1", "content", "sunny")));
    JsonNode rendered = server.json("/v1/chat/completions/render", body);
    assertThat(rendered.get("prompt").stringValue()).contains("<|im_start|>tool\nsunny");
  }
}
