package org.chunkllama.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class ChatCompletionsTest {
  private static TestServer server;

  @BeforeAll
  static void start() {
    server = new TestServer();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static JsonNode chat(Map<String, ?> more) {
    return server.json("/v1/chat/completions", TestServer.chat("Hello there", more));
  }

  private static List<JsonNode> events(Map<String, ?> more) {
    Map<String, Object> body = TestServer.chat("Hello there", more);
    body.put("stream", true);
    return server.events("/v1/chat/completions", body);
  }

  private static String text(List<JsonNode> events, int index) {
    StringBuilder text = new StringBuilder();
    for (JsonNode event : events) {
      for (JsonNode choice : event.get("choices").values()) {
        if (choice.get("index").intValue() == index && choice.get("delta").has("content")) {
          text.append(choice.get("delta").get("content").stringValue());
        }
      }
    }
    return text.toString();
  }

  @Test
  void answersAsOpenAiDoes() {
    JsonNode answer = chat(Map.of());
    assertThat(answer.get("object").stringValue()).isEqualTo("chat.completion");
    assertThat(answer.get("id").stringValue()).startsWith("chatcmpl-");
    assertThat(answer.get("model").stringValue()).isEqualTo("random");
    JsonNode choice = answer.get("choices").get(0);
    assertThat(choice.get("message").get("role").stringValue()).isEqualTo("assistant");
    assertThat(choice.get("finish_reason").stringValue()).isIn("length", "stop");
    JsonNode usage = answer.get("usage");
    assertThat(usage.get("completion_tokens").intValue()).isBetween(1, 12);
    assertThat(usage.get("total_tokens").intValue())
        .isEqualTo(
            usage.get("prompt_tokens").intValue() + usage.get("completion_tokens").intValue());
  }

  @Test
  void streamsTheSameText() {
    String whole = chat(Map.of()).get("choices").get(0).get("message").get("content").stringValue();
    List<JsonNode> events = events(Map.of("stream_options", Map.of("include_usage", true)));
    JsonNode first = events.getFirst().get("choices").get(0);
    assertThat(first.get("delta").get("role").stringValue()).isEqualTo("assistant");
    assertThat(text(events, 0)).isEqualTo(whole);
    JsonNode usage = events.getLast();
    assertThat(usage.get("choices").isEmpty()).isTrue();
    assertThat(usage.get("usage").get("completion_tokens").intValue()).isBetween(1, 12);
    JsonNode last = events.get(events.size() - 2).get("choices").get(0);
    assertThat(last.get("finish_reason").stringValue()).isIn("length", "stop");
  }

  @Test
  void aRepeatedPromptIsCached() {
    String longPrompt = "the same words again and again ".repeat(4);
    Map<String, Object> body = TestServer.chat(longPrompt, Map.of());
    server.json("/v1/chat/completions", body);
    JsonNode usage = server.json("/v1/chat/completions", body).get("usage");
    int cached = usage.get("prompt_tokens_details").get("cached_tokens").intValue();
    assertThat(cached).isGreaterThan(usage.get("prompt_tokens").intValue() / 2);
    Map<String, Object> salted = TestServer.chat(longPrompt, Map.of("cache_salt", "mine"));
    JsonNode other = server.json("/v1/chat/completions", salted).get("usage");
    assertThat(other.get("prompt_tokens_details").get("cached_tokens").intValue()).isZero();
  }

  @Test
  void severalAnswersAndLogprobs() {
    JsonNode answer =
        chat(
            Map.of(
                "n",
                3,
                "temperature",
                1,
                "seed",
                5,
                "logprobs",
                true,
                "top_logprobs",
                2,
                "ignore_eos",
                true));
    assertThat(answer.get("choices").size()).isEqualTo(3);
    for (JsonNode choice : answer.get("choices").values()) {
      JsonNode content = choice.get("logprobs").get("content");
      assertThat(content.size()).isEqualTo(12);
      assertThat(content.get(0).get("top_logprobs").size()).isEqualTo(2);
      assertThat(content.get(0).get("logprob").doubleValue()).isNegative();
    }
    List<JsonNode> events = events(Map.of("n", 3, "temperature", 1, "seed", 5, "ignore_eos", true));
    for (int i = 0; i < 3; i++) {
      assertThat(text(events, i))
          .isEqualTo(answer.get("choices").get(i).get("message").get("content").stringValue());
    }
  }

  @Test
  void contentInPartsIsJoinedAndSystemWorks() {
    JsonNode answer =
        server.json(
            "/v1/chat/completions",
            Map.of(
                "messages",
                List.of(
                    Map.of("role", "developer", "content", "Be brief."),
                    Map.of(
                        "role",
                        "user",
                        "content",
                        List.of(Map.of("type", "text", "text", "Hello there")))),
                "max_completion_tokens",
                3));
    assertThat(answer.get("usage").get("completion_tokens").intValue()).isBetween(1, 3);
  }

  @Test
  void rendersWhatItWouldAsk() {
    JsonNode rendered =
        server.json("/v1/chat/completions/render", TestServer.chat("Hello", Map.of()));
    assertThat(rendered.get("prompt").stringValue())
        .isEqualTo("<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n");
    JsonNode tokens =
        server.json(
            "/tokenize", Map.of("messages", List.of(Map.of("role", "user", "content", "Hello"))));
    assertThat(tokens.get("tokens")).isEqualTo(rendered.get("prompt_token_ids"));
  }
}
