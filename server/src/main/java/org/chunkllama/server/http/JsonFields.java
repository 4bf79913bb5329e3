package org.chunkllama.server.http;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The fields of a request's JSON object. A field of a wrong type is an error that names it; null
 * counts as absent; fields that nobody asks for are ignored.
 */
public final class JsonFields {
  private final ObjectNode object;
  private final String path;

  /** Fields of a whole body. */
  public JsonFields(ObjectNode object) {
    this(object, "");
  }

  private JsonFields(ObjectNode object, String path) {
    this.object = object;
    this.path = path;
  }

  /** The object itself. */
  public ObjectNode json() {
    return object;
  }

  /** How errors call a field. */
  public String name(String field) {
    return path + field;
  }

  /** The field's value as it is; empty where absent or null. */
  public Optional<JsonNode> value(String field) {
    JsonNode node = object.get(field);
    return node == null || node.isNull() ? Optional.empty() : Optional.of(node);
  }

  public boolean has(String field) {
    return value(field).isPresent();
  }

  /** An error about a field of this object. */
  public ApiException wrong(String field, String rule) {
    return ApiException.invalid(name(field), "'%s' %s".formatted(name(field), rule));
  }

  private ApiException type(String field, String wanted, JsonNode is) {
    return wrong(field, "must be %s, not %s".formatted(wanted, kind(is)));
  }

  static String kind(JsonNode node) {
    return switch (node.getNodeType()) {
      case ARRAY -> "an array";
      case OBJECT, POJO -> "an object";
      case STRING, BINARY -> "a string";
      case BOOLEAN -> "a boolean";
      case NUMBER -> node.isIntegralNumber() ? "an integer" : "a number";
      case NULL -> "null";
      case MISSING -> "absent";
    };
  }

  public Optional<String> string(String field) {
    return value(field)
        .map(node -> {
          if (!node.isString()) {
            throw type(field, "a string", node);
          }
          return node.stringValue();
        });
  }

  public String requiredString(String field) {
    return string(field).orElseThrow(() -> wrong(field, "is missing; it must be a string"));
  }

  public boolean flag(String field, boolean fallback) {
    return value(field)
        .map(node -> {
          if (!node.isBoolean()) {
            throw type(field, "a boolean", node);
          }
          return node.booleanValue();
        })
        .orElse(fallback);
  }

  /** A whole number from {@code min} to {@code max}; 3.0 counts as 3. */
  public OptionalLong integer(String field, long min, long max) {
    Optional<JsonNode> value = value(field);
    if (value.isEmpty()) {
      return OptionalLong.empty();
    }
    JsonNode node = value.get();
    if (!node.isNumber() || (!node.isIntegralNumber() && node.doubleValue() % 1 != 0)) {
      throw type(field, "an integer", node);
    }
    if (!node.canConvertToLong() || node.longValue() < min || node.longValue() > max) {
      throw wrong(field, "must be from %d to %d, not %s".formatted(min, max, node));
    }
    return OptionalLong.of(node.longValue());
  }

  /** The same within an int. */
  public OptionalInt integer(String field, int min, int max) {
    OptionalLong value = integer(field, (long) min, (long) max);
    return value.isPresent() ? OptionalInt.of((int) value.getAsLong()) : OptionalInt.empty();
  }

  public OptionalDouble number(String field, double min, double max) {
    Optional<JsonNode> value = value(field);
    if (value.isEmpty()) {
      return OptionalDouble.empty();
    }
    if (!value.get().isNumber()) {
      throw type(field, "a number", value.get());
    }
    double number = value.get().doubleValue();
    if (!(number >= min && number <= max)) {
      throw wrong(field, "must be from %s to %s, not %s".formatted(min, max, value.get()));
    }
    return OptionalDouble.of(number);
  }

  /** An object's fields, named by their path in errors. */
  public Optional<JsonFields> fields(String field) {
    return value(field)
        .map(node -> {
          if (node instanceof ObjectNode inner) {
            return new JsonFields(inner, name(field) + ".");
          }
          throw type(field, "an object", node);
        });
  }

  /** The elements of an array; empty where it is absent. */
  public List<JsonNode> list(String field) {
    Optional<JsonNode> value = value(field);
    if (value.isEmpty()) {
      return List.of();
    }
    if (!value.get().isArray()) {
      throw type(field, "an array", value.get());
    }
    return List.copyOf(value.get().values());
  }

  /** An array of objects. */
  public List<JsonFields> objects(String field) {
    List<JsonFields> all = new ArrayList<>();
    for (JsonNode node : list(field)) {
      String at = name(field) + "[" + all.size() + "]";
      if (!(node instanceof ObjectNode inner)) {
        throw ApiException.invalid(at, "'%s' must be an object, not %s".formatted(at, kind(node)));
      }
      all.add(new JsonFields(inner, at + "."));
    }
    return all;
  }

  /** A string or an array of strings; empty where it is absent. */
  public List<String> strings(String field) {
    Optional<JsonNode> value = value(field);
    if (value.isPresent() && value.get().isString()) {
      return List.of(value.get().stringValue());
    }
    List<String> all = new ArrayList<>();
    for (JsonNode node : list(field)) {
      if (!node.isString()) {
        throw type(field, "a string or an array of strings", node);
      }
      all.add(node.stringValue());
    }
    return all;
  }

  /** An array of token ids; empty where it is absent. */
  public List<Integer> ids(String field) {
    List<Integer> all = new ArrayList<>();
    for (JsonNode node : list(field)) {
      all.add(id(node, name(field)));
    }
    return all;
  }

  /** One token id. */
  public static int id(JsonNode node, String name) {
    if (!node.isIntegralNumber() || !node.canConvertToInt() || node.intValue() < 0) {
      throw ApiException.invalid(name, "'%s' must hold token ids".formatted(name));
    }
    return node.intValue();
  }
}
