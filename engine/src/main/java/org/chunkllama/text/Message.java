package org.chunkllama.text;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.chunkllama.error.InvalidRequestException;
import org.jspecify.annotations.Nullable;

/**
 * One message of a chat.
 *
 * @param role who speaks: {@code system}, {@code user}, {@code assistant}, {@code tool}, or what
 *     else the model's template knows
 * @param content the text; null where an assistant only calls tools
 * @param fields further fields that templates read, such as {@code tool_calls}, {@code
 *     tool_call_id}, {@code name}, {@code reasoning_content}: strings, numbers, booleans, null,
 *     lists and maps with string keys
 */
public record Message(String role, @Nullable String content, Map<String, @Nullable Object> fields) {

  public Message {
    if (role.isBlank()) {
      throw new InvalidRequestException("a message has no role; give it system, user or assistant");
    }
    fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
  }

  public Message(String role, @Nullable String content) {
    this(role, content, Map.of());
  }

  public static Message system(String content) {
    return new Message("system", content);
  }

  public static Message user(String content) {
    return new Message("user", content);
  }

  public static Message assistant(String content) {
    return new Message("assistant", content);
  }

  /** This message with one more field, or another value of it. */
  public Message with(String field, @Nullable Object value) {
    var more = new LinkedHashMap<>(fields);
    more.put(field, value);
    return new Message(role, content, more);
  }

  /**
   * A message in OpenAI's JSON form, as maps and lists. Content in parts is joined by newlines;
   * parts other than text are refused. Arguments of tool calls, which OpenAI sends as JSON inside a
   * string, become the maps that templates expect.
   *
   * @throws InvalidRequestException where it has no role, or content that is not text
   */
  public static Message of(Map<String, ? extends @Nullable Object> json) {
    var fields = new LinkedHashMap<String, @Nullable Object>(json);
    Object role = fields.remove("role");
    Object content = fields.remove("content");
    if (!(role instanceof String name)) {
      throw new InvalidRequestException("a message has no role; give it system, user or assistant");
    }
    fields.computeIfPresent("tool_calls", (_, calls) -> ToolCalls.withParsedArguments(calls));
    return new Message(name, text(content), fields);
  }

  /** The fields as a template sees them: role, content, then the others. */
  Map<String, @Nullable Object> toMap() {
    var map = new LinkedHashMap<String, @Nullable Object>();
    map.put("role", role);
    map.put("content", content);
    fields.forEach(map::putIfAbsent);
    return map;
  }

  private static @Nullable String text(@Nullable Object content) {
    return switch (content) {
      case null -> null;
      case String text -> text;
      case List<?> parts -> {
        var texts = new ArrayList<String>();
        for (Object part : parts) {
          texts.add(partText(part));
        }
        yield String.join("\n", texts);
      }
      default ->
          throw new InvalidRequestException(
              "a message's content is neither text nor a list of text parts");
    };
  }

  private static String partText(@Nullable Object part) {
    if (part instanceof String text) {
      return text;
    }
    if (part instanceof Map<?, ?> map && map.get("text") instanceof String text) {
      return text;
    }
    throw new InvalidRequestException(
        "a part of a message's content is not text; this model reads text only");
  }
}
