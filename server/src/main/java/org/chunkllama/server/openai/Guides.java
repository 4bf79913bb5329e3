package org.chunkllama.server.openai;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.chunkllama.guide.Guide;
import org.chunkllama.server.http.Json;
import org.chunkllama.server.http.JsonFields;
import tools.jackson.databind.JsonNode;

/**
 * What an answer must look like: OpenAI's {@code response_format}, and vLLM's {@code guided_json},
 * {@code guided_regex}, {@code guided_choice} and {@code structured_outputs}.
 */
final class Guides {
  private Guides() {}

  static Optional<Guide> parse(JsonFields fields) {
    List<Guide> guides = new ArrayList<>();
    fields.fields("response_format").flatMap(Guides::format).ifPresent(guides::add);
    add(guides, fields, "guided_");
    fields.fields("structured_outputs").ifPresent(inner -> add(guides, inner, ""));
    if (guides.size() > 1) {
      throw fields.wrong(
          "response_format", "and guided or structured outputs together: give one of them");
    }
    return guides.stream().findFirst();
  }

  private static void add(List<Guide> guides, JsonFields fields, String prefix) {
    fields.value(prefix + "json").map(Guides::schema).ifPresent(guides::add);
    fields.string(prefix + "regex").map(Guide::regex).ifPresent(guides::add);
    if (fields.has(prefix + "choice")) {
      guides.add(Guide.choice(fields.strings(prefix + "choice")));
    }
  }

  private static Optional<Guide> format(JsonFields format) {
    String type = format.requiredString("type");
    return switch (type) {
      case "text" -> Optional.empty();
      case "json_object" -> Optional.of(Guide.jsonObject());
      case "json_schema" -> {
        // Chats put the schema into an object of its own, responses put it here.
        JsonFields holder = format.fields("json_schema").orElse(format);
        String missing = holder == format ? "json_schema" : "schema";
        JsonFields schema =
            holder
                .fields("schema")
                .orElseThrow(() -> holder.wrong(missing, "is missing; it must hold a JSON schema"));
        yield Optional.of(schema(schema.json()));
      }
      default -> throw format.wrong("type", "must be text, json_object or json_schema");
    };
  }

  private static Guide schema(JsonNode node) {
    return Guide.jsonSchema(node.isString() ? node.stringValue() : Json.text(node));
  }
}
