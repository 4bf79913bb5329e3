package org.chunkllama.text.jinja;

/** Numbers and strings as a template writes them. */
final class Literals {
  private static final String SIMPLE_ESCAPES = "abfnrtv\\'\"";
  private static final String SIMPLE_VALUES = "\u0007\b\f\n\r\t\u000B\\'\"";

  private Literals() {}

  /** End of the string whose quote is at {@code start}, or -1 where it has none. */
  static int stringEnd(String source, int start) {
    char quote = source.charAt(start);
    for (int i = start + 1; i < source.length(); i++) {
      char c = source.charAt(i);
      if (c == quote) {
        return i + 1;
      }
      if (c == '\\') {
        i++;
      }
    }
    return -1;
  }

  /** End of the number with a point or an exponent at {@code start}, or -1 for another. */
  static int floatEnd(String source, int start) {
    if (start > 0 && source.charAt(start - 1) == '.') {
      return -1; // as in items.0.1
    }
    int whole = digitsEnd(source, start, 10);
    int end = whole;
    if (at(source, end) == '.' && isDigit(at(source, end + 1), 10)) {
      end = digitsEnd(source, end + 1, 10);
    }
    if (at(source, end) == 'e' || at(source, end) == 'E') {
      int digits = end + 1;
      if (at(source, digits) == '+' || at(source, digits) == '-') {
        digits++;
      }
      if (isDigit(at(source, digits), 10)) {
        end = digitsEnd(source, digits, 10);
      }
    }
    return end == whole ? -1 : end;
  }

  /** End of the whole number at {@code start}. */
  static int integerEnd(String source, int start) {
    if (source.charAt(start) != '0') {
      return digitsEnd(source, start, 10);
    }
    int radix = radix(at(source, start + 1));
    int digits = at(source, start + 2) == '_' ? start + 3 : start + 2;
    if (radix != 10 && isDigit(at(source, digits), radix)) {
      return digitsEnd(source, digits, radix);
    }
    int end = start + 1;
    while (at(source, end) == '0' || (at(source, end) == '_' && at(source, end + 1) == '0')) {
      end++;
    }
    return end;
  }

  /** Value of a whole number as {@link #integerEnd} found it. */
  static Object integer(String text, int line) {
    String digits = text.replace("_", "");
    int radix = digits.length() > 1 ? radix(digits.charAt(1)) : 10;
    try {
      return Long.parseLong(radix == 10 ? digits : digits.substring(2), radix);
    } catch (NumberFormatException e) {
      throw new JinjaError("the number " + text + " is too large", line);
    }
  }

  private static int radix(char mark) {
    return switch (mark) {
      case 'b', 'B' -> 2;
      case 'o', 'O' -> 8;
      case 'x', 'X' -> 16;
      default -> 10;
    };
  }

  /** Digits with single underscores between them. */
  private static int digitsEnd(String source, int start, int radix) {
    int end = start;
    while (isDigit(at(source, end), radix)
        || (at(source, end) == '_' && isDigit(at(source, end + 1), radix))) {
      end++;
    }
    return end;
  }

  private static boolean isDigit(char c, int radix) {
    return c < 0x80 && Character.digit(c, radix) >= 0;
  }

  private static char at(String source, int index) {
    return index < source.length() ? source.charAt(index) : 0;
  }

  /** Value of a string's inside, with Python's escapes. */
  static String unescape(String text, int line) {
    if (text.indexOf('\\') < 0) {
      return text;
    }
    var out = new StringBuilder(text.length());
    int i = 0;
    while (i < text.length()) {
      char c = text.charAt(i++);
      if (c != '\\') {
        out.append(c);
        continue;
      }
      char escape = text.charAt(i++); // a string cannot end in one backslash: it would be open
      int simple = SIMPLE_ESCAPES.indexOf(escape);
      if (simple >= 0) {
        out.append(SIMPLE_VALUES.charAt(simple));
      } else if (escape >= '0' && escape <= '7') {
        i = octal(text, i - 1, out);
      } else if (escape == 'x' || escape == 'u' || escape == 'U') {
        i = hexadecimal(text, i, escape, line, out);
      } else if (escape != '\n') {
        out.append('\\').append(escape);
      }
    }
    return out.toString();
  }

  private static int octal(String text, int start, StringBuilder out) {
    int value = 0;
    int i = start;
    while (i < start + 3 && at(text, i) >= '0' && at(text, i) <= '7') {
      value = value * 8 + (text.charAt(i++) - '0');
    }
    out.append((char) value);
    return i;
  }

  private static int hexadecimal(String text, int start, char escape, int line, StringBuilder out) {
    int length = escape == 'x' ? 2 : escape == 'u' ? 4 : 8;
    int value = 0;
    for (int i = start; i < start + length; i++) {
      if (!isDigit(at(text, i), 16)) {
        throw new JinjaError("\\" + escape + " needs " + length + " hexadecimal digits", line);
      }
      value = value * 16 + Character.digit(text.charAt(i), 16);
    }
    if (!Character.isValidCodePoint(value)) {
      throw new JinjaError("\\" + escape + " names no character", line);
    }
    out.appendCodePoint(value);
    return start + length;
  }
}
