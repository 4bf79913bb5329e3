package org.chunkllama.server.openai;

import java.util.List;
import java.util.Optional;
import org.chunkllama.guide.Guide;
import org.chunkllama.server.http.Json;

/** How a model writes calls, which its chat template tells. */
public enum ToolFormat {
  /** {@code <tool_call>{"name": .., "arguments": ..}</tool_call>}: Hermes, Qwen, SmolLM. */
  TAGGED {
    @Override
    AnswerParser parser(boolean streamed) {
      return new TaggedCalls(streamed);
    }

    @Override
    Guide guide(List<Guide> functions, int max) {
      Guide call =
          Guide.sequence(
              Guide.literal(TaggedCalls.OPEN + "\n"),
              Guide.anyOf(functions),
              Guide.literal("\n" + TaggedCalls.CLOSE));
      return new Guide.Repeat(call, "\n", 1, max);
    }
  },
  /** {@code {"name": .., "parameters": ..}} and nothing else: Llama 3. */
  OBJECT {
    @Override
    AnswerParser parser(boolean streamed) {
      return new WholeCalls(streamed);
    }

    @Override
    String argumentsField() {
      return "parameters";
    }

    @Override
    Guide guide(List<Guide> functions, int max) {
      return Guide.anyOf(functions);
    }
  },
  /** {@code [{"name": .., "arguments": ..}]} and nothing else: Mistral. */
  ARRAY {
    @Override
    AnswerParser parser(boolean streamed) {
      return new WholeCalls(streamed);
    }

    @Override
    Guide guide(List<Guide> functions, int max) {
      return Guide.sequence(
          Guide.literal("["),
          new Guide.Repeat(Guide.anyOf(functions), ", ", 1, max),
          Guide.literal("]"));
    }
  };

  /** The format that a template's source speaks of; empty if it knows no tools. */
  static Optional<ToolFormat> of(String template) {
    if (!template.contains("tools")) {
      return Optional.empty();
    }
    if (template.contains(TaggedCalls.OPEN)) {
      return Optional.of(TAGGED);
    }
    if (template.contains("[TOOL_CALLS]")) {
      return Optional.of(ARRAY);
    }
    return template.contains("\"parameters\"") ? Optional.of(OBJECT) : Optional.empty();
  }

  /** {@code streamed}: give out arguments as they come. */
  abstract AnswerParser parser(boolean streamed);

  /**
   * Makes a model call functions and write nothing else.
   *
   * @param functions a guide for each, see {@link #call}
   * @param max most calls
   */
  abstract Guide guide(List<Guide> functions, int max);

  String argumentsField() {
    return "arguments";
  }

  /** A guide for a call of one function. */
  Guide call(String name, String schema) {
    String head = "{\"name\": %s, \"%s\": ".formatted(Json.text(Json.node(name)), argumentsField());
    return Guide.sequence(Guide.literal(head), Guide.jsonSchema(schema), Guide.literal("}"));
  }
}
