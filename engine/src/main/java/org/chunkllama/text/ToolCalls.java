package org.chunkllama.text;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/** The {@code tool_calls} of an assistant's message. */
final class ToolCalls {
  private static final JsonMapper MAPPER = new JsonMapper();

  private ToolCalls() {}

  /**
   * {@code calls} with each {@code function.arguments} that is a JSON object in a string as a map.
   * What does not look so stays as it is: templates differ in what they take.
   */
  static Object withParsedArguments(Object calls) {
    if (!(calls instanceof List<?> list)) {
      return calls;
    }
    var parsed = new ArrayList<@Nullable Object>(list.size());
    for (Object call : list) {
      parsed.add(call instanceof Map<?, ?> map ? withParsedFunction(map) : call);
    }
    return parsed;
  }

  private static Map<Object, @Nullable Object> withParsedFunction(Map<?, ?> call) {
    var copy = new LinkedHashMap<Object, @Nullable Object>(call);
    if (call.get("function") instanceof Map<?, ?> function
        && function.get("arguments") instanceof String json) {
      var parsed = new LinkedHashMap<Object, @Nullable Object>(function);
      parsed.put("arguments", object(json));
      copy.put("function", parsed);
    }
    return copy;
  }

  private static Object object(String json) {
    try {
      Object value = MAPPER.readValue(json, Object.class);
      return value instanceof Map ? value : json;
    } catch (JacksonException e) {
      return json; // some models write arguments that are no JSON: the template sees them so
    }
  }
}
