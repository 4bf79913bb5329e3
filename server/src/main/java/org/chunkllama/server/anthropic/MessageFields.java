package org.chunkllama.server.anthropic;

import java.util.ArrayList;
import java.util.List;
import org.chunkllama.server.http.Json;
import org.chunkllama.server.http.JsonFields;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** A request to {@code /v1/messages} in the words of a chat. */
final class MessageFields {
  /** Fields that mean the same in both. */
  private static final List<String> SAME =
      List.of(
          "model",
          "temperature",
          "top_p",
          "top_k",
          "min_p",
          "seed",
          "stream",
          "cache_salt",
          "priority",
          "deadline",
          "ignore_eos",
          "chat_template_kwargs");

  private MessageFields() {}

  /**
   * A request as a chat.
   *
   * @param fields the chat
   * @param ends for each message of the request, how many of the chat's messages end with it: one
   *     may become several, or none, and the system's text is one of its own
   */
  record Chat(JsonFields fields, List<Integer> ends) {}

  static Chat toChat(JsonFields fields) {
    ObjectNode chat = Json.object();
    SAME.forEach(field -> fields.value(field).ifPresent(value -> chat.set(field, value)));
    chat.put(
        "max_tokens",
        fields
            .integer("max_tokens", 1, Integer.MAX_VALUE)
            .orElseThrow(() -> fields.wrong("max_tokens", "is missing; it must be an integer")));
    ArrayNode stops = chat.putArray("stop");
    fields.strings("stop_sequences").forEach(stops::add);
    ArrayNode messages = chat.putArray("messages");
    if (fields.has("system")) {
      messages.addObject().put("role", "system").put("content", text(fields, "system"));
    }
    List<Integer> ends = new ArrayList<>();
    for (JsonFields message : fields.objects("messages")) {
      message(message, messages);
      ends.add(messages.size());
    }
    MessageTools.put(fields, chat);
    return new Chat(new JsonFields(chat), ends);
  }

  private static void message(JsonFields message, ArrayNode messages) {
    String role = message.requiredString("role");
    if (!role.equals("user") && !role.equals("assistant")) {
      throw message.wrong("role", "must be 'user' or 'assistant'");
    }
    if (message.value("content").filter(JsonNode::isString).isPresent()) {
      messages.addObject().put("role", role).put("content", message.requiredString("content"));
      return;
    }
    StringBuilder text = new StringBuilder();
    ArrayNode calls = Json.array();
    for (JsonFields block : message.objects("content")) {
      String type = block.requiredString("type");
      switch (type) {
        case "text" -> append(text, block.requiredString("text"));
        case "tool_use" -> calls.add(MessageTools.call(block));
        case "tool_result" -> {
          ObjectNode result = messages.addObject();
          result.put("role", "tool");
          result.put("tool_call_id", block.requiredString("tool_use_id"));
          result.put("content", block.has("content") ? text(block, "content") : "");
        }
        case "thinking", "redacted_thinking" -> {} // nothing that the model should read again
        default ->
            throw block.wrong(
                "type", "'%s' is not supported: this model reads text only".formatted(type));
      }
    }
    if (!text.isEmpty() || !calls.isEmpty()) {
      ObjectNode all = messages.addObject().put("role", role).put("content", text.toString());
      if (!calls.isEmpty()) {
        all.set("tool_calls", calls);
      }
    }
  }

  /** A string, or text blocks joined by newlines. */
  private static String text(JsonFields fields, String field) {
    if (fields.value(field).filter(JsonNode::isString).isPresent()) {
      return fields.requiredString(field);
    }
    StringBuilder text = new StringBuilder();
    for (JsonFields block : fields.objects(field)) {
      if (!block.requiredString("type").equals("text")) {
        throw block.wrong("type", "must be 'text': this model reads text only");
      }
      append(text, block.requiredString("text"));
    }
    return text.toString();
  }

  private static void append(StringBuilder text, String more) {
    text.append(text.isEmpty() ? "" : "\n").append(more);
  }
}
