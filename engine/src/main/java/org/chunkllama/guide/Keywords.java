package org.chunkllama.guide;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.chunkllama.error.InvalidRequestException;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Reads the keywords of one schema, refusing what is not supported by name. */
final class Keywords {
  static final Set<String> TYPES =
      Set.of("null", "boolean", "integer", "number", "string", "array", "object");

  /** What says nothing about values. */
  private static final Set<String> NOTES =
      Set.of(
          "$schema",
          "$id",
          "$comment",
          "$defs",
          "definitions",
          "title",
          "description",
          "default",
          "examples",
          "example",
          "deprecated",
          "readOnly",
          "writeOnly");

  private static final Map<String, Set<String>> OF_TYPE =
      Map.of(
          "string", Set.of("minLength", "maxLength", "pattern", "format"),
          "number", Set.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
          "array", Set.of("items", "minItems", "maxItems", "uniqueItems"),
          "object", Set.of("properties", "required", "additionalProperties"));

  private static final Set<String> OTHERS =
      Set.of("type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref");

  private Keywords() {}

  static InvalidRequestException unsupported(String keyword, String why) {
    return new InvalidRequestException(
        "JSON schema: '%s' %s is not supported".formatted(keyword, why).replace("  ", " "));
  }

  private static InvalidRequestException wrong(String keyword, String expected) {
    return new InvalidRequestException("JSON schema: '%s' must be %s".formatted(keyword, expected));
  }

  /** Refuses what is no schema, and keywords that are not known. */
  static void check(JsonNode schema) {
    if (schema.isBoolean()) {
      throw new InvalidRequestException("JSON schema: 'false' accepts nothing; leave it out");
    }
    if (!schema.isObject()) {
      throw new InvalidRequestException(
          "a JSON schema must be an object, not " + schema.getNodeType());
    }
    for (String name : schema.propertyNames()) {
      boolean known =
          NOTES.contains(name)
              || OTHERS.contains(name)
              || OF_TYPE.values().stream().anyMatch(names -> names.contains(name));
      if (!known && !name.startsWith("x-")) {
        throw unsupported(name, "");
      }
    }
    if (schema.has("uniqueItems") && schema.get("uniqueItems").asBoolean(false)) {
      throw unsupported("uniqueItems", "");
    }
  }

  /** Refuses what restricts beside these keywords. */
  static void allowOnly(JsonNode schema, String... keywords) {
    for (String name : schema.propertyNames()) {
      if (!NOTES.contains(name) && !name.startsWith("x-") && !List.of(keywords).contains(name)) {
        throw unsupported(name, "beside " + keywords[0]);
      }
    }
  }

  /** The types it names, or else those that its keywords are about; empty = any. */
  static Set<String> types(JsonNode schema) {
    Set<String> types = new LinkedHashSet<>();
    JsonNode type = schema.get("type");
    if (type != null) {
      for (JsonNode one : type.isArray() ? type.values() : List.of(type)) {
        if (!one.isString() || !TYPES.contains(one.stringValue())) {
          throw wrong("type", "one of " + TYPES.stream().sorted().toList());
        }
        types.add(one.stringValue());
      }
      if (types.isEmpty()) {
        throw wrong("type", "one type or more");
      }
    } else {
      OF_TYPE.forEach((about, names) -> {
        if (names.stream().anyMatch(schema::has)) {
          types.add(about);
        }
      });
    }
    return types;
  }

  static boolean isOf(String type, JsonNode value) {
    return switch (type) {
      case "null" -> value.isNull();
      case "boolean" -> value.isBoolean();
      case "integer" -> value.isIntegralNumber();
      case "number" -> value.isNumber();
      case "string" -> value.isString();
      case "array" -> value.isArray();
      case "object" -> value.isObject();
      default -> false;
    };
  }

  /** The values of enum or const. */
  static List<JsonNode> values(JsonNode schema) {
    return schema.has("const") ? List.of(schema.get("const")) : list(schema, "enum");
  }

  static List<JsonNode> list(JsonNode schema, String keyword) {
    JsonNode list = schema.get(keyword);
    if (list == null || !list.isArray() || list.isEmpty()) {
      throw wrong(keyword, "a list of one or more");
    }
    return new ArrayList<>(list.values());
  }

  static List<Map.Entry<String, JsonNode>> properties(JsonNode schema) {
    JsonNode properties = schema.get("properties");
    if (properties == null) {
      return List.of();
    }
    if (!properties.isObject()) {
      throw wrong("properties", "an object");
    }
    return new ArrayList<>(properties.properties());
  }

  static List<String> required(JsonNode schema) {
    JsonNode required = schema.get("required");
    if (required == null) {
      return List.of();
    }
    if (!required.isArray()) {
      throw wrong("required", "a list of names");
    }
    List<String> names = new ArrayList<>();
    for (JsonNode name : required.values()) {
      if (!name.isString()) {
        throw wrong("required", "a list of names");
      }
      names.add(name.stringValue());
    }
    return names;
  }

  /** A count, or {@code absent}. */
  static int count(JsonNode schema, String keyword, int absent) {
    JsonNode count = schema.get(keyword);
    if (count == null) {
      return absent;
    }
    if (!count.isNumber() || count.asDouble(-1) != Math.floor(count.asDouble(-1))) {
      throw wrong(keyword, "a whole number");
    }
    double value = count.asDouble(-1);
    if (value < 0 || value > MOST_COUNT) {
      throw wrong(keyword, "from 0 to " + MOST_COUNT);
    }
    return (int) value;
  }

  private static final int MOST_COUNT = 10_000;

  /** An upper count, or {@link Pattern#ENDLESS}. */
  static int limit(JsonNode schema, String keyword, int min) {
    int max = count(schema, keyword, Pattern.ENDLESS);
    if (max != Pattern.ENDLESS && max < min) {
      throw wrong(keyword, "at least its minimum, " + min);
    }
    return max;
  }

  /** Bounds of a number; null if there are none. */
  static NumberPatterns.@Nullable Bounds bounds(JsonNode schema) {
    long low = -Ranges.MOST;
    long high = Ranges.MOST;
    boolean lowOpen = false;
    boolean highOpen = false;
    boolean any = false;
    if (schema.has("minimum")) {
      low = bound(schema, "minimum");
      any = true;
    }
    if (schema.has("exclusiveMinimum")) {
      long open = bound(schema, "exclusiveMinimum");
      lowOpen = !schema.has("minimum") || open >= low;
      low = lowOpen ? open : low;
      any = true;
    }
    if (schema.has("maximum")) {
      high = bound(schema, "maximum");
      any = true;
    }
    if (schema.has("exclusiveMaximum")) {
      long open = bound(schema, "exclusiveMaximum");
      highOpen = !schema.has("maximum") || open <= high;
      high = highOpen ? open : high;
      any = true;
    }
    return any ? new NumberPatterns.Bounds(low, lowOpen, high, highOpen) : null;
  }

  private static long bound(JsonNode schema, String keyword) {
    JsonNode bound = schema.get(keyword);
    if (!bound.isNumber()) {
      throw wrong(keyword, "a number");
    }
    BigDecimal value = bound.decimalValue();
    BigDecimal whole = value.setScale(0, RoundingMode.DOWN);
    if (whole.compareTo(value) != 0 || whole.abs().compareTo(BigDecimal.valueOf(Ranges.MOST)) > 0) {
      throw unsupported(keyword, "that is no whole number up to " + Ranges.MOST);
    }
    return whole.longValueExact();
  }
}
