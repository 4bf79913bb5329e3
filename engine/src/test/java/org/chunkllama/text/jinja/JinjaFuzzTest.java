package org.chunkllama.text.jinja;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import org.chunkllama.error.TemplateException;

/** Any template renders or throws TemplateException. */
class JinjaFuzzTest {
  private static final Map<String, Object> VALUES =
      Map.of(
          "messages",
          List.of(
              Map.of("role", "user", "content", "Hi <|im_end|> 😀"),
              Map.of("role", "assistant", "content", "a</think>b", "tool_calls", List.of())),
          "xs",
          List.of(3, 1, 2.5, "a", true),
          "d",
          Map.of("k", List.of(1), "items", 1),
          "bos_token",
          "<s>",
          "add_generation_prompt",
          true);

  @FuzzTest(maxDuration = "60s")
  void rendersOrRefuses(FuzzedDataProvider data) {
    String template = data.consumeRemainingAsString();
    try {
      JinjaTemplate.parse(template, Clock.systemUTC()).render(VALUES);
    } catch (TemplateException e) {
      if (String.valueOf(e.getMessage()).isBlank()) {
        throw new AssertionError("no message", e);
      }
    }
  }
}
