package org.chunkllama.server.http;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** The server's one way to read and write JSON. */
public final class Json {
  private static final JsonMapper MAPPER = JsonMapper.builder().build();
  private static final TypeReference<Map<String, @Nullable Object>> MAP = new TypeReference<>() {};

  private Json() {}

  public static ObjectNode object() {
    return MAPPER.createObjectNode();
  }

  public static ArrayNode array() {
    return MAPPER.createArrayNode();
  }

  public static byte[] bytes(JsonNode node) {
    return MAPPER.writeValueAsBytes(node);
  }

  public static String text(JsonNode node) {
    return MAPPER.writeValueAsString(node);
  }

  /** A generator that writes to {@code out} and leaves it open. */
  public static JsonGenerator generator(java.io.OutputStream out) {
    return MAPPER.createGenerator(out);
  }

  /** The same as maps, lists, strings, numbers and booleans. */
  public static Map<String, @Nullable Object> map(JsonNode object) {
    return MAPPER.convertValue(object, MAP);
  }

  /** Maps and lists as a node. */
  public static JsonNode node(Object value) {
    return MAPPER.valueToTree(value);
  }

  /**
   * JSON that somebody wrote.
   *
   * @throws JacksonException if it is none
   */
  public static JsonNode parse(String text) {
    return MAPPER.readTree(text);
  }

  /** True for JSON of an object. */
  public static boolean isObject(String text) {
    try {
      return parse(text).isObject();
    } catch (JacksonException e) {
      return false;
    }
  }

  /** Several values, one after another. */
  public static List<JsonNode> parseAll(String text) {
    try (var values = MAPPER.readerFor(JsonNode.class).<JsonNode>readValues(text)) {
      return values.readAll();
    }
  }

  /**
   * A request's body.
   *
   * @throws ApiException if it is not UTF-8, no JSON, or no object
   */
  static ObjectNode parseObject(byte[] body) {
    if (body.length == 0) {
      throw ApiException.badRequest("the body is empty; send a JSON object", null);
    }
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString();
      if (MAPPER.readTree(text) instanceof ObjectNode object) {
        return object;
      }
      throw ApiException.badRequest("the body is not a JSON object", null);
    } catch (CharacterCodingException e) {
      throw ApiException.badRequest("the body is not valid UTF-8", e);
    } catch (JacksonException e) {
      // Jackson's own message quotes the text: prompts have no place in errors and logs.
      throw ApiException.badRequest(
          e instanceof StreamConstraintsException limit
              ? "the JSON %s; send it simpler".formatted(limit(limit))
              : "the body is not valid JSON (%s)".formatted(place(e)),
          e);
    }
  }

  /** Which of the parser's limits it was: its own message names settings that nobody has here. */
  private static String limit(StreamConstraintsException e) {
    String message = String.valueOf(e.getMessage());
    if (message.contains("nesting")) {
      return "nests too deeply";
    }
    if (message.contains("Number")) {
      return "has a number that is too long";
    }
    return message.contains("Name") || message.contains("name")
        ? "has a name that is too long"
        : "has a text that is too long";
  }

  private static String place(JacksonException e) {
    var location = e.getLocation();
    return location == null
        ? "it ends too soon"
        : "line %d, column %d".formatted(location.getLineNr(), location.getColumnNr());
  }
}
