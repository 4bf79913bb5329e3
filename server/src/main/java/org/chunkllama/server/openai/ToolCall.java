package org.chunkllama.server.openai;

import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import org.chunkllama.server.http.Json;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A function that the model wants called.
 *
 * @param id by which its result is given back
 * @param name of the function
 * @param arguments JSON
 */
public record ToolCall(String id, String name, String arguments) {
  /** Models write the arguments under one of these names. */
  private static final List<String> ARGUMENTS = List.of("arguments", "parameters");

  /** What a model wrote as a call; empty if it is none. */
  static Optional<ToolCall> parse(String text) {
    try {
      return of(Json.parse(text));
    } catch (JacksonException e) {
      return Optional.empty();
    }
  }

  /**
   * The same of JSON.
   *
   * @throws JacksonException if the arguments are text that is no JSON
   */
  static Optional<ToolCall> of(JsonNode node) {
    if (!(node instanceof ObjectNode call) || !call.path("name").isString()) {
      return Optional.empty();
    }
    String arguments = "{}";
    for (Map.Entry<String, JsonNode> field : call.properties()) {
      if (ARGUMENTS.contains(field.getKey())) {
        JsonNode value = field.getValue();
        JsonNode object = value.isString() ? Json.parse(value.stringValue()) : value;
        if (!object.isObject()) {
          return Optional.empty();
        }
        arguments = Json.text(object);
      }
    }
    return Optional.of(new ToolCall(newId(), call.get("name").stringValue(), arguments));
  }

  static String newId() {
    ThreadLocalRandom random = ThreadLocalRandom.current();
    HexFormat hex = HexFormat.of();
    return "call_" + hex.toHexDigits(random.nextLong()) + hex.toHexDigits(random.nextInt());
  }

  ObjectNode json() {
    ObjectNode json = Json.object();
    json.put("id", id);
    json.put("type", "function");
    json.putObject("function").put("name", name).put("arguments", arguments);
    return json;
  }
}
