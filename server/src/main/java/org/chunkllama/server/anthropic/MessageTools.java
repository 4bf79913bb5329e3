package org.chunkllama.server.anthropic;

import org.chunkllama.server.http.Json;
import org.chunkllama.server.http.JsonFields;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Tools in the words of a chat. */
final class MessageTools {
  private MessageTools() {}

  static void put(JsonFields fields, ObjectNode chat) {
    if (fields.has("tools")) {
      ArrayNode tools = chat.putArray("tools");
      for (JsonFields tool : fields.objects("tools")) {
        ObjectNode nested = tools.addObject().put("type", "function");
        ObjectNode function = nested.putObject("function");
        function.put("name", tool.requiredString("name"));
        tool.string("description").ifPresent(text -> function.put("description", text));
        tool.fields("input_schema").ifPresent(schema -> function.set("parameters", schema.json()));
      }
    }
    fields.fields("tool_choice").ifPresent(choice -> choice(choice, chat));
  }

  private static void choice(JsonFields choice, ObjectNode chat) {
    switch (choice.requiredString("type")) {
      case "auto" -> chat.put("tool_choice", "auto");
      case "any" -> chat.put("tool_choice", "required");
      case "none" -> chat.put("tool_choice", "none");
      case "tool" ->
          chat.putObject("tool_choice")
              .put("type", "function")
              .putObject("function")
              .put("name", choice.requiredString("name"));
      default -> throw choice.wrong("type", "must be auto, any, tool or none");
    }
    chat.put("parallel_tool_calls", !choice.flag("disable_parallel_tool_use", false));
  }

  /** A call that the assistant made earlier. */
  static ObjectNode call(JsonFields block) {
    ObjectNode call = Json.object();
    call.put("id", block.requiredString("id"));
    call.put("type", "function");
    ObjectNode function = call.putObject("function");
    function.put("name", block.requiredString("name"));
    function.put(
        "arguments", block.fields("input").map(input -> Json.text(input.json())).orElse("{}"));
    return call;
  }
}
