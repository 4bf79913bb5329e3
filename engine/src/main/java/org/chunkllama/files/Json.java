package org.chunkllama.files;

import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.chunkllama.error.ModelFileException;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;

/** JSON objects of untrusted files into maps, within fixed budgets. */
final class Json {
  private static final int MAX_BYTES = 32 << 20;
  private static final int MAX_DEPTH = 64;

  /** Values of one document: a header of 100,000 tensors fits. */
  private static final int MAX_VALUES = 1 << 20;

  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(MAX_DEPTH)
                  .maxDocumentLength(MAX_BYTES)
                  .build())
          .build();

  private final JsonParser parser;
  private final String file;
  private int valuesLeft = MAX_VALUES;

  private Json(JsonParser parser, String file) {
    this.parser = parser;
    this.file = file;
  }

  /** The object in {@code path}. */
  static Fields read(Path path) {
    try {
      long bytes = Files.size(path);
      if (bytes > MAX_BYTES) {
        throw new ModelFileException(
            path + " has " + bytes + " bytes, more than any sound one; fetch it again");
      }
      return parse(Files.readAllBytes(path), path.toString());
    } catch (NoSuchFileException e) {
      throw new ModelFileException(path + " is missing; fetch the whole model folder", e);
    } catch (IOException e) {
      throw new ModelFileException(
          path + " cannot be read (" + e.getMessage() + "); check its permissions", e);
    }
  }

  /**
   * The object that {@code bytes} spell.
   *
   * @param file for messages
   */
  static Fields parse(byte[] bytes, String file) {
    try (JsonParser parser = FACTORY.createParser(ObjectReadContext.empty(), bytes)) {
      Json json = new Json(parser, file);
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw Untrusted.damaged(file, "it is not a JSON object");
      }
      Fields fields = new Fields(file, json.object());
      if (parser.nextToken() != null) {
        throw Untrusted.damaged(file, "more follows the JSON object");
      }
      return fields;
    } catch (JacksonException e) {
      throw new ModelFileException(
          file + ": broken JSON (" + firstLine(e) + "); fetch the file again", e);
    }
  }

  /** What Jackson says, without the excerpt of the file. */
  static String firstLine(JacksonException e) {
    String message = String.valueOf(e.getOriginalMessage());
    String quoted = Untrusted.quote(message);
    return quoted.substring(1, quoted.length() - 1);
  }

  private Map<String, @Nullable Object> object() {
    Map<String, @Nullable Object> object = new LinkedHashMap<>();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = parser.currentName();
      if (object.containsKey(name)) {
        throw Untrusted.damaged(file, Untrusted.quote(name) + " comes twice");
      }
      parser.nextToken();
      object.put(name, value());
    }
    return object;
  }

  private List<@Nullable Object> array() {
    List<@Nullable Object> array = new ArrayList<>();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      array.add(value());
    }
    return array;
  }

  private @Nullable Object value() {
    if (--valuesLeft < 0) {
      throw new ModelFileException(
          file + " has more than " + MAX_VALUES + " values; this is no sound model file");
    }
    return switch (parser.currentToken()) {
      case START_OBJECT -> object();
      case START_ARRAY -> array();
      case VALUE_STRING -> parser.getString();
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      case VALUE_NULL -> null;
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> number(parser.getNumberValue());
      case null, default -> throw Untrusted.damaged(file, "it ends inside the JSON");
    };
  }

  private static Object number(Number number) {
    return switch (number) {
      case Integer whole -> whole.longValue();
      case Long whole -> whole;
      case BigInteger huge -> huge.doubleValue();
      case BigDecimal huge -> huge.doubleValue();
      default -> number.doubleValue();
    };
  }
}
