package org.chunkllama.text.jinja;

/**
 * A token of the source.
 *
 * @param text of a string its value, of all others as written
 * @param line from 1
 */
record Token(Kind kind, String text, int line) {
  enum Kind {
    TEXT,
    PRINT_BEGIN,
    PRINT_END,
    TAG_BEGIN,
    TAG_END,
    NAME,
    STRING,
    INTEGER,
    FLOAT,
    OPERATOR,
    END
  }

  boolean isOperator(String operator) {
    return kind == Kind.OPERATOR && text.equals(operator);
  }

  boolean isName(String name) {
    return kind == Kind.NAME && text.equals(name);
  }

  /** As an error message names it. */
  String described() {
    return switch (kind) {
      case END -> "the end of the template";
      case PRINT_END, TAG_END -> "'" + text.strip() + "'";
      case TEXT -> "text";
      default -> "'" + text + "'";
    };
  }
}
