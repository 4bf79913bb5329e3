package org.chunkllama.cli;

import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** JSON as commands print it. */
final class Json {
  private static final JsonMapper COMPACT = JsonMapper.builder().build();
  private static final JsonMapper INDENTED =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  private Json() {}

  /** On one line, for readers that take a line at a time. */
  static String line(Object value) {
    return COMPACT.writeValueAsString(value);
  }

  /** Indented, for files and for people. */
  static String indented(Object value) {
    return INDENTED.writeValueAsString(value);
  }
}
