package org.chunkllama.text;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.chunkllama.error.ModelFileException;
import org.chunkllama.error.UnsupportedModelException;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What ChunkLlama itself reads of a tokenizer.json: vocabulary, added tokens and decoder. The rest
 * is the native library's. Read as a stream, as such files have 300,000 entries.
 */
final class TokenizerJson {
  private static final JsonMapper MAPPER = new JsonMapper();
  private static final String ADVICE = "; download the model again";

  private final String source;
  private final Map<String, Integer> vocabulary = new HashMap<>();
  private final List<AddedToken> added = new ArrayList<>();
  private TokenizerJsonDecoder decoder = TokenizerJsonDecoder.NONE;
  private String type = "none";

  /** Where in {@link #source} the array of added tokens lies: [start, end). */
  private int addedStart = -1;

  private int addedEnd = -1;

  private record AddedToken(int id, String content, boolean special) {}

  /**
   * Reads {@code source}.
   *
   * @throws ModelFileException where it is broken
   * @throws UnsupportedModelException where it is of a kind that the Llama family does not use
   */
  TokenizerJson(String source) {
    this.source = source;
    try (JsonParser json = MAPPER.createParser(source)) {
      expect(json.nextToken(), JsonToken.START_OBJECT, "an object");
      while (json.nextToken() == JsonToken.PROPERTY_NAME) {
        readProperty(json);
      }
    } catch (JacksonException e) {
      throw new ModelFileException(
          "tokenizer.json is broken (" + e.getOriginalMessage() + ")" + ADVICE, e);
    }
    if (!type.equals("BPE")) {
      throw new UnsupportedModelException(
          "tokenizer.json has a model of type "
              + type
              + ", and only BPE is supported; the Llama family uses no other");
    }
  }

  private void readProperty(JsonParser json) {
    String name = json.currentName();
    JsonToken start = json.nextToken();
    switch (name) {
      case "added_tokens" -> readAddedTokens(json, start);
      case "decoder" -> decoder = TokenizerJsonDecoder.of(json.readValueAsTree());
      case "model" -> readModel(json, start);
      default -> json.skipChildren();
    }
  }

  private void readAddedTokens(JsonParser json, JsonToken start) {
    expect(start, JsonToken.START_ARRAY, "a list of added_tokens");
    addedStart = Math.toIntExact(json.currentTokenLocation().getCharOffset());
    JsonNode tokens = json.readValueAsTree();
    addedEnd = Math.toIntExact(json.currentLocation().getCharOffset());
    for (JsonNode token : tokens) {
      int id = token.path("id").asInt(-1);
      String content = token.path("content").asString("");
      if (id < 0 || content.isEmpty()) {
        throw new ModelFileException(
            "tokenizer.json has an added token without id or text" + ADVICE);
      }
      added.add(new AddedToken(id, content, token.path("special").asBoolean(false)));
    }
  }

  private void readModel(JsonParser json, JsonToken start) {
    expect(start, JsonToken.START_OBJECT, "a model");
    while (json.nextToken() == JsonToken.PROPERTY_NAME) {
      String name = json.currentName();
      JsonToken value = json.nextToken();
      if (name.equals("type") && value == JsonToken.VALUE_STRING) {
        type = json.getString();
      } else if (name.equals("vocab") && value == JsonToken.START_OBJECT) {
        while (json.nextToken() == JsonToken.PROPERTY_NAME) {
          String token = json.currentName();
          expect(json.nextToken(), JsonToken.VALUE_NUMBER_INT, "an id for each token");
          vocabulary.put(token, checkedId(json.getIntValue()));
        }
      } else {
        json.skipChildren();
      }
    }
  }

  private static int checkedId(int id) {
    if (id < 0 || id > 1 << 24) {
      throw new ModelFileException("tokenizer.json has a token with id " + id + ADVICE);
    }
    return id;
  }

  private static void expect(@Nullable JsonToken found, JsonToken expected, String what) {
    if (found != expected) {
      throw new ModelFileException("tokenizer.json is broken: it does not hold " + what + ADVICE);
    }
  }

  /** True where the decoder takes away one space at the start of a text. */
  boolean stripsSpacePrefix() {
    return decoder.stripsSpace();
  }

  /** The file with control tokens spelled so that no text has them. */
  String withoutControlTokens() {
    if (addedStart < 0) {
      return source;
    }
    ControlSpelling spelling = ControlSpelling.unguessable();
    ArrayNode tokens = (ArrayNode) MAPPER.readTree(source.substring(addedStart, addedEnd));
    var kept = MAPPER.createArrayNode();
    for (JsonNode token : tokens) {
      String content = token.path("content").asString("");
      if (!token.path("special").asBoolean(false)) {
        kept.add(token);
      } else if (!vocabulary.containsKey(content)) {
        kept.add(((ObjectNode) token).put("content", spelling.of(content)));
      } // else its id is the model's, and no other id depends on it being added
    }
    return source.substring(0, addedStart) + kept + source.substring(addedEnd);
  }

  /** Vocabulary and added tokens together. */
  Vocabulary vocabulary() {
    int size = 0;
    for (int id : vocabulary.values()) {
      size = Math.max(size, id + 1);
    }
    for (AddedToken token : added) {
      size = Math.max(size, checkedId(token.id()) + 1);
    }
    var builder = new Vocabulary.Builder(size);
    vocabulary.forEach((token, id) -> builder.put(id, token, decoder.bytes(token)));
    for (AddedToken token : added) {
      if (token.special()) {
        builder.putSpecial(token.id(), token.content());
      } else {
        builder.put(token.id(), token.content(), token.content().getBytes(StandardCharsets.UTF_8));
      }
    }
    return builder.build();
  }
}
