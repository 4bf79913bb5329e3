package org.chunkllama.guide;

import org.chunkllama.error.InvalidRequestException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Writes guides into an {@link Nfa}. */
final class GuideWriter {
  private static final JsonMapper MAPPER = new JsonMapper();

  /** Most characters of a schema or an expression. */
  private static final int MOST_TEXT = 1 << 18;

  private final Nfa nfa;
  private final JsonWriter json;
  private final PatternWriter patterns;

  GuideWriter(Nfa nfa) {
    this.nfa = nfa;
    this.json = new JsonWriter(nfa);
    this.patterns = new PatternWriter(nfa, false);
  }

  /** Writes {@code guide} from a state on; the state behind it. */
  int write(Guide guide, int from) {
    return switch (guide) {
      case Guide.JsonObject _ -> json.anyObject(from);
      case Guide.JsonSchema schema -> new SchemaWriter(parse(schema.schema()), nfa).write(from);
      case Guide.Regex regex -> {
        checkLength(regex.pattern());
        Pattern pattern = PatternParser.parse(regex.pattern());
        yield patterns.write(PatternWriter.whole(pattern), from);
      }
      case Guide.Literal literal -> json.literal(literal.text(), from);
      case Guide.Choice choice -> {
        int to = nfa.newState();
        for (String text : choice.choices()) {
          nfa.skip(json.literal(text, from), to);
        }
        yield to;
      }
      case Guide.Sequence sequence -> {
        int at = from;
        for (Guide part : sequence.parts()) {
          at = write(part, at);
        }
        yield at;
      }
      case Guide.AnyOf anyOf -> {
        int to = nfa.newState();
        for (Guide option : anyOf.options()) {
          nfa.skip(write(option, from), to);
        }
        yield to;
      }
      case Guide.Repeat repeat -> repeat(repeat, from);
    };
  }

  private int repeat(Guide.Repeat repeat, int from) {
    int rule = json.rule(at -> write(repeat.part(), at));
    int to = nfa.newState();
    int at = from;
    for (int i = 0; i < repeat.max(); i++) {
      if (i >= repeat.min()) {
        nfa.skip(at, to);
      }
      at = json.call(rule, i == 0 ? at : json.literal(repeat.separator(), at));
    }
    nfa.skip(at, to);
    return to;
  }

  private static JsonNode parse(String schema) {
    checkLength(schema);
    try {
      return MAPPER.readTree(schema);
    } catch (JacksonException e) {
      throw new InvalidRequestException("the JSON schema is no JSON: " + e.getOriginalMessage(), e);
    }
  }

  private static void checkLength(String text) {
    if (text.length() > MOST_TEXT) {
      throw new InvalidRequestException(
          "a guide has %d characters; at most %d".formatted(text.length(), MOST_TEXT));
    }
  }
}
