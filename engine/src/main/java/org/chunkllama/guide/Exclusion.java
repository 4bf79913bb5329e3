package org.chunkllama.guide;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.chunkllama.error.InvalidRequestException;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Whether the options of a {@code oneOf} exclude each other, as far as that is plain to see. */
final class Exclusion {
  private final Schemas schemas;

  Exclusion(Schemas schemas) {
    this.schemas = schemas;
  }

  /**
   * Makes sure that no value has two of the options.
   *
   * @throws InvalidRequestException if that cannot be seen
   */
  void check(List<JsonNode> options) {
    for (int i = 0; i < options.size(); i++) {
      for (int j = 0; j < i; j++) {
        JsonNode a = schemas.resolve(options.get(i));
        JsonNode b = schemas.resolve(options.get(j));
        if (!exclude(a, b)) {
          throw Keywords.unsupported(
              "oneOf",
              "whose options may overlap (number %d and %d); give each its own type or a required"
                      .formatted(j + 1, i + 1)
                  + " property of its own const, or use anyOf");
        }
      }
    }
  }

  private boolean exclude(JsonNode a, JsonNode b) {
    @Nullable Set<String> valuesOfA = values(a);
    @Nullable Set<String> valuesOfB = values(b);
    if (valuesOfA != null && valuesOfB != null) {
      return valuesOfA.stream().noneMatch(valuesOfB::contains);
    }
    Set<String> types = types(a);
    types.retainAll(types(b));
    return types.isEmpty() || (types.equals(Set.of("object")) && differ(a, b));
  }

  /** Two objects that both require a property, of different values. */
  private boolean differ(JsonNode a, JsonNode b) {
    List<String> required = Keywords.required(b);
    for (String name : Keywords.required(a)) {
      if (required.contains(name)) {
        @Nullable Set<String> ofA = property(a, name);
        @Nullable Set<String> ofB = property(b, name);
        if (ofA != null && ofB != null && ofA.stream().noneMatch(ofB::contains)) {
          return true;
        }
      }
    }
    return false;
  }

  private @Nullable Set<String> property(JsonNode object, String name) {
    for (Map.Entry<String, JsonNode> property : Keywords.properties(object)) {
      if (property.getKey().equals(name)) {
        return values(schemas.resolve(property.getValue()));
      }
    }
    return null;
  }

  /** The strings that it can be; null if it can be anything else. */
  private static @Nullable Set<String> values(JsonNode schema) {
    if (!schema.isObject() || !(schema.has("enum") || schema.has("const"))) {
      return null;
    }
    Set<String> values = new TreeSet<>();
    for (JsonNode value : Keywords.values(schema)) {
      if (!value.isString()) {
        return null;
      }
      values.add(value.stringValue());
    }
    return values;
  }

  private static Set<String> types(JsonNode schema) {
    Set<String> types = new TreeSet<>();
    if (schema.isObject()) {
      if (schema.has("enum") || schema.has("const")) {
        for (JsonNode value : Keywords.values(schema)) {
          Keywords.TYPES.stream().filter(type -> Keywords.isOf(type, value)).forEach(types::add);
        }
      } else {
        types.addAll(Keywords.types(schema));
      }
    }
    if (types.isEmpty()) {
      types.addAll(Keywords.TYPES);
    }
    if (types.contains("number")) {
      types.add("integer");
    }
    return types;
  }
}
