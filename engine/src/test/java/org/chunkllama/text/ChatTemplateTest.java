package org.chunkllama.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.error.TemplateException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.json.JsonMapper;

/** Prompts equal to those of tools/goldens/chat_templates.py, refusals included. */
class ChatTemplateTest {
  private record Goldens(
      Map<String, List<Map<String, Object>>> chats,
      List<Map<String, Object>> tools,
      Map<String, List<String>> special,
      List<Golden> goldens) {}

  private record Golden(
      String template,
      String chat,
      boolean tools,
      boolean prompt,
      Map<String, Object> extras,
      @Nullable String text) {}

  @TestFactory
  Stream<DynamicTest> rendersAsTransformers() throws IOException {
    Goldens goldens = new JsonMapper().readValue(resource("goldens.json"), Goldens.class);
    assertThat(goldens.goldens()).hasSizeGreaterThan(200);
    return goldens.goldens().stream()
        .map(each -> DynamicTest.dynamicTest(name(each), () -> check(each, goldens)));
  }

  private static String name(Golden golden) {
    return "%s %s%s%s %s"
        .formatted(
            golden.template(),
            golden.chat(),
            golden.tools() ? " tools" : "",
            golden.prompt() ? " prompt" : "",
            golden.extras());
  }

  private static void check(Golden golden, Goldens all) {
    List<String> special = Objects.requireNonNull(all.special().get(golden.template()));
    ChatTemplate template =
        ChatTemplate.compile(
            resource(golden.template() + ".jinja"), special.get(0), special.get(1));
    List<Message> messages =
        Objects.requireNonNull(all.chats().get(golden.chat())).stream().map(Message::of).toList();
    List<Map<String, Object>> tools = golden.tools() ? all.tools() : List.of();
    if (golden.text() == null) {
      assertThatThrownBy(() -> template.render(messages, tools, golden.prompt(), golden.extras()))
          .isInstanceOf(TemplateException.class)
          .hasMessageContaining("line ");
    } else {
      assertThat(template.render(messages, tools, golden.prompt(), golden.extras()))
          .isEqualTo(golden.text());
    }
  }

  @Test
  void argumentsInAStringBecomeAMap() {
    Message message =
        Message.of(
            Map.of(
                "role",
                "assistant",
                "tool_calls",
                List.of(
                    Map.of("function", Map.of("name", "f", "arguments", "{\"x\": [1, null]}")))));
    var template =
        ChatTemplate.compile(
            "{{ messages[0].tool_calls[0].function.arguments.x }}{{ messages[0].content }}",
            null,
            null);
    assertThat(template.render(List.of(message), false)).isEqualTo("[1, None]None");
  }

  @Test
  void contentInPartsIsJoined() {
    Message message =
        Message.of(
            Map.of(
                "role",
                "user",
                "content",
                List.of(Map.of("type", "text", "text", "a"), Map.of("type", "text", "text", "b"))));
    assertThat(message.content()).isEqualTo("a\nb");
    assertThatThrownBy(() ->
            Message.of(Map.of("role", "user", "content", List.of(Map.of("type", "image_url")))))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("text only");
    assertThatThrownBy(() -> Message.of(Map.of("content", "x")))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("role");
  }

  @Test
  void withoutATemplateChatMlIsTakenWhereTheVocabularyHasIt() {
    ChatTemplate chatMl = ChatTemplate.of(null, tokenizer("<|im_start|>", "<|im_end|>"));
    assertThat(chatMl.render(List.of(Message.system("s"), Message.user("u")), true))
        .isEqualTo(
            "<|im_start|>system\ns<|im_end|>\n<|im_start|>user\nu<|im_end|>\n<|im_start|>assistant\n");
    assertThatThrownBy(() ->
            chatMl.render(List.of(Message.user("u")), List.of(Map.of("name", "f")), true, Map.of()))
        .isInstanceOf(TemplateException.class);

    ChatTemplate none = ChatTemplate.of(null, tokenizer("<s>", "</s>"));
    assertThat(none.isUsable()).isFalse();
    assertThatThrownBy(() -> none.render(List.of(Message.user("u")), true))
        .isInstanceOf(TemplateException.class)
        .hasMessageContaining("--raw");
  }

  @Test
  void aBrokenTemplateFailsWhereItIsUsed() {
    assertThatThrownBy(() -> ChatTemplate.compile("a\n{% if %}", null, null))
        .isInstanceOf(TemplateException.class)
        .hasMessageContaining("line 2");
    ChatTemplate broken = ChatTemplate.of("a\n{% if %}", tokenizer("<s>", "</s>"));
    assertThat(broken.isUsable()).isFalse();
    assertThatThrownBy(() -> broken.render(List.of(Message.user("u")), true))
        .isInstanceOf(TemplateException.class)
        .hasMessageContaining("line 2");
  }

  @Test
  void knowsTheTokenizersSpecialTokens() {
    ChatTemplate template =
        ChatTemplate.of("{{ bos_token }}|{{ eos_token }}", tokenizer("<s>", "</s>"));
    assertThat(template.render(List.of(), false)).isEqualTo("<s>|</s>");
  }

  private static Tokenizer tokenizer(String bos, String eos) {
    Vocabulary vocabulary = new Vocabulary.Builder(2).putSpecial(0, bos).putSpecial(1, eos).build();
    return new VocabularyTokenizer(new NoEncoder(), vocabulary, false, 0, List.of(1));
  }

  private static String resource(String name) {
    try (InputStream in = ChatTemplateTest.class.getResourceAsStream("templates/" + name)) {
      return new String(Objects.requireNonNull(in, name).readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
