package org.chunkllama.server.openai;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.chunkllama.guide.Guide;
import org.chunkllama.server.http.Json;
import org.chunkllama.server.http.JsonFields;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * The functions that a model may or must call.
 *
 * @param descriptions as OpenAI has them, for the template; empty if it may call none
 * @param format how the model writes calls; empty if it may call none
 * @param guide present if it must call
 */
public record Tools(
    List<Map<String, @Nullable Object>> descriptions,
    Optional<ToolFormat> format,
    Optional<Guide> guide) {
  private static final Tools NONE = new Tools(List.of(), Optional.empty(), Optional.empty());
  private static final int MAX_CALLS = 16;

  /** {@code template}: the source of the model's chat template. */
  static Tools parse(JsonFields fields, String template) {
    Map<String, JsonFields> functions = functions(fields);
    Optional<JsonNode> choice = fields.value("tool_choice");
    String mode = choice.map(c -> c.isString() ? c.stringValue() : "named").orElse("auto");
    if (functions.isEmpty()) {
      if (mode.equals("required") || mode.equals("named")) {
        throw fields.wrong("tool_choice", "needs 'tools'");
      }
      return NONE;
    }
    if (mode.equals("none")) {
      return NONE;
    }
    ToolFormat format =
        ToolFormat.of(template)
            .orElseThrow(
                () -> fields.wrong("tools", "are not supported: the model's template knows none"));
    List<Map<String, @Nullable Object>> descriptions =
        fields.objects("tools").stream().map(tool -> Json.map(tool.json())).toList();
    int most = fields.flag("parallel_tool_calls", true) ? MAX_CALLS : 1;
    Optional<Guide> guide =
        switch (mode) {
          case "auto" -> Optional.empty();
          case "required" -> Optional.of(guide(format, functions, most));
          case "named" -> Optional.of(guide(format, named(fields, functions), 1));
          default ->
              throw fields.wrong("tool_choice", "must be none, auto, required or name a function");
        };
    return new Tools(descriptions, Optional.of(format), guide);
  }

  private static Map<String, JsonFields> functions(JsonFields fields) {
    Map<String, JsonFields> functions = new LinkedHashMap<>();
    for (JsonFields tool : fields.objects("tools")) {
      if (!tool.requiredString("type").equals("function")) {
        throw tool.wrong("type", "must be 'function'");
      }
      JsonFields function =
          tool.fields("function").orElseThrow(() -> tool.wrong("function", "is missing"));
      functions.put(function.requiredString("name"), function);
    }
    return functions;
  }

  private static Map<String, JsonFields> named(
      JsonFields fields, Map<String, JsonFields> functions) {
    JsonFields choice = fields.fields("tool_choice").orElseThrow();
    // Chats put the name into an object of its own, responses put it here.
    JsonFields holder = choice.fields("function").orElse(choice);
    String name = holder.requiredString("name");
    JsonFields function = functions.get(name);
    if (function == null) {
      throw holder.wrong("name", "must be one of the names in 'tools'");
    }
    return Map.of(name, function);
  }

  private static Guide guide(ToolFormat format, Map<String, JsonFields> functions, int max) {
    List<Guide> calls = new ArrayList<>();
    functions.forEach((name, function) ->
        calls.add(
            format.call(
                name,
                function
                    .fields("parameters")
                    .map(schema -> Json.text(schema.json()))
                    .orElse("{\"type\":\"object\"}"))));
    return format.guide(calls, max);
  }

  /** For a whole answer: what turns out to be no call stays text. */
  public AnswerParser parser() {
    return parser(false);
  }

  /** For an answer that is given out as it comes. */
  public AnswerParser streamParser() {
    return parser(true);
  }

  private AnswerParser parser(boolean streamed) {
    return format.map(f -> f.parser(streamed)).orElseGet(AnswerParser::plain);
  }
}
