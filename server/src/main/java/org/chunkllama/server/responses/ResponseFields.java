package org.chunkllama.server.responses;

import org.chunkllama.server.http.ApiException;
import org.chunkllama.server.http.Json;
import org.chunkllama.server.http.JsonFields;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** A request to {@code /v1/responses} in the words of a chat. */
final class ResponseFields {
  /** Fields that mean the same in both. */
  private static final String[] SAME = {
    "model",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "seed",
    "stop",
    "stream",
    "tool_choice",
    "parallel_tool_calls",
    "user",
    "prompt_cache_key",
    "prompt_cache_retention",
    "cache_salt",
    "priority",
    "deadline",
    "ignore_eos",
    "chat_template_kwargs"
  };

  private ResponseFields() {}

  static JsonFields toChat(JsonFields fields) {
    if (fields.has("previous_response_id") || fields.has("conversation")) {
      throw fields.wrong(
          fields.has("conversation") ? "conversation" : "previous_response_id",
          "is not supported: answers are not stored; send the whole conversation as 'input'");
    }
    if (fields.flag("background", false)) {
      throw fields.wrong("background", "is not supported");
    }
    ObjectNode chat = Json.object();
    for (String field : SAME) {
      fields.value(field).ifPresent(value -> chat.set(field, value));
    }
    fields
        .integer("max_output_tokens", 1, Integer.MAX_VALUE)
        .ifPresent(value -> chat.put("max_tokens", value));
    fields
        .fields("text")
        .flatMap(text -> text.fields("format"))
        .ifPresent(format -> chat.set("response_format", format.json()));
    messages(fields, chat.putArray("messages"));
    tools(fields, chat);
    return new JsonFields(chat);
  }

  private static void messages(JsonFields fields, ArrayNode messages) {
    fields
        .string("instructions")
        .ifPresent(text -> messages.addObject().put("role", "system").put("content", text));
    JsonNode input = fields.value("input").orElse(null);
    if (input == null) {
      throw fields.wrong("input", "is missing; it must be a string or an array of items");
    }
    if (input.isString()) {
      messages.addObject().put("role", "user").put("content", input.stringValue());
      return;
    }
    if (!input.isArray()) {
      throw fields.wrong("input", "must be a string or an array of items");
    }
    for (JsonFields item : fields.objects("input")) {
      String type = item.string("type").orElse("message");
      switch (type) {
        case "message" -> message(item, messages.addObject());
        case "function_call" -> call(item, messages);
        case "function_call_output" -> {
          ObjectNode message = messages.addObject();
          message.put("role", "tool");
          message.put("tool_call_id", item.requiredString("call_id"));
          message.put("content", item.requiredString("output"));
        }
        case "reasoning", "item_reference" -> {} // nothing that the model should read again
        default -> throw item.wrong("type", "'%s' is not supported".formatted(type));
      }
    }
  }

  private static void message(JsonFields item, ObjectNode message) {
    message.put("role", item.requiredString("role"));
    JsonNode content = item.value("content").orElseThrow(() -> item.wrong("content", "is missing"));
    if (content.isString()) {
      message.set("content", content);
      return;
    }
    ArrayNode parts = message.putArray("content");
    for (JsonFields part : item.objects("content")) {
      String type = part.requiredString("type");
      if (!type.equals("input_text") && !type.equals("output_text") && !type.equals("text")) {
        throw part.wrong("type", "must be a text: this model reads text only, not " + type);
      }
      parts.addObject().put("type", "text").put("text", part.requiredString("text"));
    }
  }

  /** Calls that follow one another are one message of the assistant's. */
  private static void call(JsonFields item, ArrayNode messages) {
    JsonNode last = messages.isEmpty() ? null : messages.get(messages.size() - 1);
    ObjectNode message;
    if (last instanceof ObjectNode before && before.has("tool_calls")) {
      message = before;
    } else {
      message = messages.addObject().put("role", "assistant");
      message.put("content", "");
      message.putArray("tool_calls");
    }
    if (!(message.get("tool_calls") instanceof ArrayNode calls)) {
      throw ApiException.invalid("input", "'input' holds calls that cannot be read");
    }
    ObjectNode call = calls.addObject();
    call.put("id", item.requiredString("call_id"));
    call.put("type", "function");
    call.putObject("function")
        .put("name", item.requiredString("name"))
        .put("arguments", item.requiredString("arguments"));
  }

  private static void tools(JsonFields fields, ObjectNode chat) {
    if (!fields.has("tools")) {
      return;
    }
    ArrayNode tools = chat.putArray("tools");
    for (JsonFields tool : fields.objects("tools")) {
      if (!tool.requiredString("type").equals("function")) {
        throw tool.wrong("type", "must be 'function': this server has no tools of its own");
      }
      ObjectNode function = tool.json().deepCopy();
      function.remove("type");
      function.remove("strict");
      ObjectNode nested = tools.addObject();
      nested.put("type", "function");
      nested.set("function", function);
    }
  }
}
