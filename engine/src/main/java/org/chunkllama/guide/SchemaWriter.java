package org.chunkllama.guide;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.chunkllama.error.InvalidRequestException;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * Writes what a JSON Schema accepts into an {@link Nfa}. Members come in the schema's order; those
 * of unknown names only where {@code additionalProperties} asks for them. Every schema that is
 * referred to is a rule, so it may contain itself.
 */
final class SchemaWriter {
  private static final int MOST_DEPTH = 64;
  private static final int MOST_NAME = 256;

  private final Schemas schemas;
  private final JsonWriter json;
  private final Nfa nfa;
  private final Map<String, Integer> rules = new HashMap<>(); // by pointer
  private final List<String> unwritten = new ArrayList<>();
  private int depth;

  SchemaWriter(JsonNode root, Nfa nfa) {
    this.schemas = new Schemas(root);
    this.nfa = nfa;
    this.json = new JsonWriter(nfa);
  }

  /** Writes the whole schema; the state behind it. */
  int write(int from) {
    int to = schema(schemas.root(), from);
    while (!unwritten.isEmpty()) {
      String pointer = unwritten.removeLast();
      int rule = rules.getOrDefault(pointer, -1);
      nfa.skip(schema(schemas.find(pointer), nfa.start(rule)), nfa.end(rule));
    }
    return to;
  }

  private int schema(JsonNode schema, int from) {
    if (++depth > MOST_DEPTH) {
      throw new InvalidRequestException(
          "the JSON schema nests more than %d deep; use $ref".formatted(MOST_DEPTH));
    }
    int to = oneSchema(schema, from);
    depth--;
    return to;
  }

  private int oneSchema(JsonNode schema, int from) {
    if (schema.isBoolean() && schema.booleanValue()) {
      return json.any(from);
    }
    Keywords.check(schema);
    if (schema.has("$ref")) {
      Keywords.allowOnly(schema, "$ref");
      return reference(schema.get("$ref").asString(""), from);
    }
    for (String choice : List.of("anyOf", "oneOf", "allOf")) {
      if (schema.has(choice)) {
        return options(choice, schema, from);
      }
    }
    if (schema.has("enum") || schema.has("const")) {
      return values(schema, from);
    }
    Set<String> types = Keywords.types(schema);
    if (types.isEmpty()) {
      return json.any(from);
    }
    int to = nfa.newState();
    for (String type : types) {
      nfa.skip(typed(type, schema, from), to);
    }
    return to;
  }

  private int reference(String pointer, int from) {
    Integer rule = rules.get(pointer);
    if (rule == null) {
      JsonNode _ = schemas.find(pointer); // must be there
      rule = nfa.newRule();
      rules.put(pointer, rule);
      unwritten.add(pointer);
    }
    return json.call(rule, from);
  }

  private int options(String keyword, JsonNode schema, int from) {
    Keywords.allowOnly(schema, keyword);
    List<JsonNode> options = Keywords.list(schema, keyword);
    if (keyword.equals("allOf") && options.size() > 1) {
      throw Keywords.unsupported("allOf", "of more than one schema; merge them");
    }
    if (keyword.equals("oneOf")) {
      new Exclusion(schemas).check(options);
    }
    int to = nfa.newState();
    for (JsonNode option : options) {
      nfa.skip(schema(option, from), to);
    }
    return to;
  }

  private int values(JsonNode schema, int from) {
    Keywords.allowOnly(schema, "enum", "const", "type");
    if (schema.has("enum") && schema.has("const")) {
      throw Keywords.unsupported("const", "beside enum; leave one out");
    }
    Set<String> types = Keywords.types(schema);
    int to = nfa.newState();
    int written = 0;
    for (JsonNode value : Keywords.values(schema)) {
      if (types.isEmpty() || types.stream().anyMatch(type -> Keywords.isOf(type, value))) {
        nfa.skip(json.literal(value.toString(), from), to);
        written++;
      }
    }
    if (written == 0) {
      throw new InvalidRequestException("JSON schema: no value of 'enum' has the schema's 'type'");
    }
    return to;
  }

  private int typed(String type, JsonNode schema, int from) {
    return switch (type) {
      case "null" -> json.literal("null", from);
      case "boolean" -> json.pattern("true|false", from);
      case "integer", "number" -> number(type, schema, from);
      case "string" -> string(schema, from);
      case "array" -> array(schema, from);
      case "object" -> object(schema, from);
      default -> throw new InvalidRequestException("JSON schema: there is no type '" + type + "'");
    };
  }

  private int number(String type, JsonNode schema, int from) {
    boolean whole = type.equals("integer");
    NumberPatterns.@Nullable Bounds bounds = Keywords.bounds(schema);
    if (bounds == null) {
      return json.pattern(whole ? NumberPatterns.INTEGER : NumberPatterns.NUMBER, from);
    }
    return json.pattern(
        whole ? NumberPatterns.integers(bounds) : NumberPatterns.numbers(bounds), from);
  }

  private int string(JsonNode schema, int from) {
    boolean bounded = schema.has("minLength") || schema.has("maxLength");
    String pattern = schema.has("pattern") ? schema.get("pattern").asString("") : null;
    if (schema.has("format")) {
      String format = schema.get("format").asString("");
      if (pattern != null) {
        throw Keywords.unsupported("format", "beside pattern");
      }
      String known = Formats.PATTERNS.get(format);
      if (known == null) {
        throw Keywords.unsupported("format", "'" + format + "'");
      }
      pattern = "^(" + known + ")$";
    }
    if (pattern == null) {
      int min = Keywords.count(schema, "minLength", 0);
      return json.string(min, Keywords.limit(schema, "maxLength", min), from);
    }
    if (bounded) {
      throw Keywords.unsupported("minLength/maxLength", "beside pattern or format");
    }
    return json.stringLike(pattern, from);
  }

  private int array(JsonNode schema, int from) {
    int min = Keywords.count(schema, "minItems", 0);
    int max = Keywords.limit(schema, "maxItems", min);
    JsonNode items = schema.get("items");
    int rule = items == null ? -1 : json.rule(at -> schema(items, at));
    return json.list('[', ']', at -> rule < 0 ? json.any(at) : json.call(rule, at), min, max, from);
  }

  private int object(JsonNode schema, int from) {
    Map<String, @Nullable JsonNode> members = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> property : Keywords.properties(schema)) {
      if (property.getKey().length() > MOST_NAME) {
        throw new InvalidRequestException(
            "JSON schema: a property's name has more than %d characters".formatted(MOST_NAME));
      }
      members.put(property.getKey(), property.getValue());
    }
    Set<String> required = new LinkedHashSet<>(Keywords.required(schema));
    @Nullable JsonNode extra = schema.get("additionalProperties");
    boolean forbidden = extra != null && extra.isBoolean() && !extra.booleanValue();
    for (String name : required) {
      if (!members.containsKey(name)) {
        if (forbidden) {
          throw new InvalidRequestException(
              "JSON schema: '%s' is required but 'additionalProperties' forbids it"
                  .formatted(name));
        }
        members.put(name, extra);
      }
    }
    boolean open = extra != null ? !forbidden : members.isEmpty();
    return new Members(members, required, open, extra).write(from);
  }

  private int value(@Nullable JsonNode schema, int from) {
    return schema == null ? json.any(from) : schema(schema, from);
  }

  /** The members of an object, in order. */
  private final class Members {
    private final Map<String, @Nullable JsonNode> members;
    private final Set<String> required;
    private final boolean open;
    private final @Nullable JsonNode extra;

    Members(
        Map<String, @Nullable JsonNode> members,
        Set<String> required,
        boolean open,
        @Nullable JsonNode extra) {
      this.members = members;
      this.required = required;
      this.open = open;
      this.extra = extra;
    }

    int write(int from) {
      int none = json.literal("{", from); // no member yet; -1 once one must have come
      int some = nfa.newState(); // one or more members
      for (Map.Entry<String, @Nullable JsonNode> member : members.entrySet()) {
        int key = json.literal(quoted(member.getKey()), begin(none, some));
        int next = nfa.newState();
        nfa.skip(value(member.getValue(), json.colon(key)), next);
        if (required.contains(member.getKey())) {
          none = -1;
        } else {
          nfa.skip(some, next);
        }
        some = next;
      }
      if (open) {
        int key = json.otherKey(members.keySet(), begin(none, some));
        nfa.skip(value(extra, json.colon(key)), some);
      }
      int close = nfa.newState();
      if (none >= 0) {
        nfa.skip(none, close);
      }
      nfa.skip(json.gap(some), close);
      return json.literal("}", close);
    }

    /** Before a member: at once, or behind others and a comma. */
    private int begin(int none, int some) {
      int before = json.gap(json.literal(",", some));
      if (none >= 0) {
        nfa.skip(json.gap(none), before);
      }
      return before;
    }
  }

  private static String quoted(String text) {
    return tools.jackson.databind.node.StringNode.valueOf(text).toString();
  }
}
