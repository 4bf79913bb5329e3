package org.chunkllama.server.openai;

import java.util.ArrayList;
import java.util.List;
import org.chunkllama.Prompt;
import org.chunkllama.server.http.JsonFields;
import tools.jackson.databind.JsonNode;

/** The field {@code prompt}: a text, token ids, or several of either. */
final class CompletionPrompts {
  private static final int MAX_PROMPTS = 2048;
  private static final String FORMS =
      "must be a string, an array of strings, an array of token ids or an array of such arrays";

  private CompletionPrompts() {}

  static List<Prompt> parse(JsonFields fields) {
    JsonNode value =
        fields.value("prompt").orElseThrow(() -> fields.wrong("prompt", "is missing; it " + FORMS));
    if (value.isString()) {
      return List.of(text(value));
    }
    List<JsonNode> elements = fields.list("prompt");
    if (elements.isEmpty() || (elements.size() > MAX_PROMPTS && !elements.getFirst().isNumber())) {
      throw fields.wrong("prompt", "must hold from 1 to %d prompts".formatted(MAX_PROMPTS));
    }
    if (elements.getFirst().isNumber()) {
      return List.of(ids(elements, fields));
    }
    List<Prompt> prompts = new ArrayList<>();
    for (JsonNode element : elements) {
      if (element.isString()) {
        prompts.add(text(element));
      } else if (element.isArray()) {
        prompts.add(ids(List.copyOf(element.values()), fields));
      } else {
        throw fields.wrong("prompt", FORMS);
      }
    }
    return prompts;
  }

  private static Prompt text(JsonNode node) {
    return new Prompt.Raw(node.stringValue(), true);
  }

  private static Prompt ids(List<JsonNode> nodes, JsonFields fields) {
    if (nodes.isEmpty()) {
      throw fields.wrong("prompt", "must not be empty");
    }
    int[] ids = new int[nodes.size()];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = JsonFields.id(nodes.get(i), "prompt");
    }
    return new Prompt.Tokens(ids);
  }
}
