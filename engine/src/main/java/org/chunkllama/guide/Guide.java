package org.chunkllama.guide;

import java.util.List;
import org.chunkllama.error.InvalidRequestException;

/**
 * What an answer must look like, from its first character to its last. Only tokens that keep it so
 * can be drawn, end-of-sequence ids only where the text is complete; an answer that nothing can
 * follow ends by itself. An answer cut off by its token limit is a beginning of such a text.
 *
 * <p>Guides nest: a tool call is {@code sequence(literal("<call>"), jsonSchema(...),
 * literal("</call>"))}.
 */
public sealed interface Guide {
  /** Any JSON object. */
  record JsonObject() implements Guide {}

  /**
   * JSON that this schema accepts, nested at most 200 deep. Members come in the schema's order;
   * those that it does not name only if {@code additionalProperties} is there, or it names none.
   *
   * @param schema a JSON Schema as text. Supported: type, enum, const, properties, required,
   *     additionalProperties, items, minItems, maxItems, minLength, maxLength, pattern, format
   *     (date, time, date-time, uuid, email, ipv4, uri), minimum, maximum, exclusiveMinimum,
   *     exclusiveMaximum (whole numbers), anyOf, oneOf (options that exclude each other), $ref and
   *     $defs, recursive ones too. Any other keyword that restricts is refused by name
   */
  record JsonSchema(String schema) implements Guide {}

  /**
   * Text that a regular expression matches as a whole.
   *
   * @param pattern literals, classes, groups, alternatives, repetitions; no look-around and no back
   *     references
   */
  record Regex(String pattern) implements Guide {}

  /** One of some texts. */
  record Choice(List<String> choices) implements Guide {
    public Choice {
      choices = List.copyOf(choices);
      require(!choices.isEmpty(), "a choice needs at least one text");
    }
  }

  /** Exactly this text; may be empty. */
  record Literal(String text) implements Guide {}

  /** Parts one after another. */
  record Sequence(List<Guide> parts) implements Guide {
    public Sequence {
      parts = List.copyOf(parts);
    }
  }

  /** One of some guides. */
  record AnyOf(List<Guide> options) implements Guide {
    public AnyOf {
      options = List.copyOf(options);
      require(!options.isEmpty(), "anyOf needs at least one option");
    }
  }

  /**
   * A part several times.
   *
   * @param separator between two
   * @param min at least so often, 0 or more
   * @param max at most so often, {@code min} or more
   */
  record Repeat(Guide part, String separator, int min, int max) implements Guide {
    public Repeat {
      require(
          min >= 0 && min <= max && max <= MAX_REPEATS,
          "a part repeats 0 <= min <= max <= %d times, not %d to %d"
              .formatted(MAX_REPEATS, min, max));
    }
  }

  /** Most repetitions of {@link Repeat}. */
  int MAX_REPEATS = 1024;

  static Guide jsonObject() {
    return new JsonObject();
  }

  static Guide jsonSchema(String schema) {
    return new JsonSchema(schema);
  }

  static Guide regex(String pattern) {
    return new Regex(pattern);
  }

  static Guide choice(List<String> choices) {
    return new Choice(choices);
  }

  static Guide literal(String text) {
    return new Literal(text);
  }

  static Guide sequence(Guide... parts) {
    return new Sequence(List.of(parts));
  }

  static Guide anyOf(List<Guide> options) {
    return new AnyOf(options);
  }

  private static void require(boolean holds, String message) {
    if (!holds) {
      throw new InvalidRequestException(message);
    }
  }
}
