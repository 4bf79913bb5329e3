package org.chunkllama.server.openai;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.chunkllama.Prompt;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.server.http.ApiException;
import org.chunkllama.server.http.Json;
import org.chunkllama.server.http.JsonFields;
import org.chunkllama.text.Message;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** The messages of a chat, and what else its template is told. */
public final class ChatMessages {
  /** Roles whose messages are nothing without; an assistant's may hold calls alone. */
  private static final Set<String> NEED_CONTENT = Set.of("system", "developer", "user", "tool");

  private static final String FORMS = "a string or an array of text parts";

  private ChatMessages() {}

  /** A chat without tools. */
  public static Prompt.Chat prompt(JsonFields fields) {
    return prompt(fields, List.of());
  }

  /** A chat with tools, as OpenAI describes them. */
  static Prompt.Chat prompt(JsonFields fields, List<Map<String, @Nullable Object>> tools) {
    boolean answer = fields.flag("add_generation_prompt", true);
    Map<String, @Nullable Object> extras =
        fields
            .fields("chat_template_kwargs")
            .map(kwargs -> Json.map(kwargs.json()))
            .orElse(Map.of());
    return new Prompt.Chat(messages(fields), tools, answer, extras);
  }

  private static List<Message> messages(JsonFields fields) {
    List<Message> messages = new ArrayList<>();
    for (JsonFields message : fields.objects("messages")) {
      String role = message.requiredString("role");
      checkContent(message, role);
      try {
        Map<String, @Nullable Object> json = Json.map(message.json());
        json.put("role", role.equals("developer") ? "system" : role);
        messages.add(Message.of(json));
      } catch (InvalidRequestException e) {
        throw ApiException.invalid(message.name("content"), String.valueOf(e.getMessage()));
      }
    }
    if (messages.isEmpty()) {
      throw fields.wrong("messages", "must hold at least one message");
    }
    return messages;
  }

  private static void checkContent(JsonFields message, String role) {
    JsonNode content = message.value("content").orElse(null);
    if (content == null && NEED_CONTENT.contains(role)) {
      throw message.wrong("content", "is missing; it must be " + FORMS);
    }
    if (content == null || content.isString()) {
      return;
    }
    if (!content.isArray()) {
      throw message.wrong("content", "must be " + FORMS);
    }
    for (JsonFields part : message.objects("content")) {
      String type = part.string("type").orElse("text");
      if (!type.equals("text")) {
        throw part.wrong("type", "must be 'text': this model reads text only, not " + type);
      }
      part.requiredString("text");
    }
  }
}
