package org.chunkllama.text.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Python's notion of characters (code points), whitespace, case and printing. */
final class PyText {
  private PyText() {}

  /** As str.isspace has it: more than Java's, no-break spaces among them. */
  static boolean isSpace(int c) {
    return (c >= 0x09 && c <= 0x0D)
        || (c >= 0x1C && c <= 0x20)
        || c == 0x85
        || c == 0xA0
        || (c > 0xFF && Character.isSpaceChar(c));
  }

  static List<Object> characters(String text) {
    var list = new ArrayList<Object>(text.length());
    text.codePoints().forEach(c -> list.add(Character.toString(c)));
    return list;
  }

  /** Takes {@code chars} (null: whitespace) off the ends. */
  static String strip(String text, @Nullable String chars, boolean left, boolean right) {
    int start = 0;
    int end = text.length();
    while (left && start < end && strips(text.codePointAt(start), chars)) {
      start += Character.charCount(text.codePointAt(start));
    }
    while (right && start < end && strips(text.codePointBefore(end), chars)) {
      end -= Character.charCount(text.codePointBefore(end));
    }
    return text.substring(start, end);
  }

  private static boolean strips(int c, @Nullable String chars) {
    return chars == null ? isSpace(c) : chars.indexOf(c) >= 0;
  }

  /** str.split: at {@code separator}, or at runs of whitespace where it is null. */
  static List<Object> split(String text, @Nullable String separator, long max) {
    if (separator == null) {
      return splitWords(text, max);
    }
    var parts = new ArrayList<Object>();
    int from = 0;
    for (int at = text.indexOf(separator);
        at >= 0 && (max < 0 || parts.size() < max);
        at = text.indexOf(separator, from)) {
      parts.add(text.substring(from, at));
      from = at + separator.length();
    }
    parts.add(text.substring(from));
    return parts;
  }

  private static List<Object> splitWords(String text, long max) {
    var parts = new ArrayList<Object>();
    String rest = strip(text, null, true, false);
    int from = 0;
    while (from < rest.length()) {
      if (max >= 0 && parts.size() == max) {
        parts.add(strip(rest.substring(from), null, false, true));
        break;
      }
      int end = from;
      while (end < rest.length() && !isSpace(rest.charAt(end))) {
        end++;
      }
      parts.add(rest.substring(from, end));
      from = end;
      while (from < rest.length() && isSpace(rest.charAt(from))) {
        from++;
      }
    }
    return parts;
  }

  /** str.rsplit: counts {@code max} from the right. */
  static List<Object> splitFromRight(String text, @Nullable String separator, long max) {
    if (max < 0) {
      return split(text, separator, max);
    }
    String reversedSeparator = separator == null ? null : reverse(separator);
    var parts = new ArrayList<Object>();
    for (Object part : split(reverse(text), reversedSeparator, max)) {
      parts.addFirst(reverse((String) part));
    }
    return parts;
  }

  static String reverse(String text) {
    return new StringBuilder(text).reverse().toString();
  }

  static List<Object> lines(String text, boolean keepEnds) {
    var lines = new ArrayList<Object>();
    int from = 0;
    while (from < text.length()) {
      int end = from;
      while (end < text.length() && !endsLine(text.charAt(end))) {
        end++;
      }
      int next = end;
      if (end < text.length()) {
        next = text.startsWith("\r\n", end) ? end + 2 : end + 1;
      }
      lines.add(text.substring(from, keepEnds ? next : end));
      from = next;
    }
    return lines;
  }

  private static boolean endsLine(char c) {
    return (c >= '\n' && c <= '\r')
        || (c >= 0x1C && c <= 0x1E)
        || c == 0x85
        || c == 0x2028
        || c == 0x2029;
  }

  static String upper(String text) {
    return text.toUpperCase(Locale.ROOT);
  }

  static String lower(String text) {
    return text.toLowerCase(Locale.ROOT);
  }

  static String capitalize(String text) {
    if (text.isEmpty()) {
      return text;
    }
    int first = text.offsetByCodePoints(0, 1);
    return titleCase(text.codePointAt(0)) + lower(text.substring(first));
  }

  /** str.title: the first letter of each run of letters. */
  static String title(String text) {
    var out = new StringBuilder(text.length());
    boolean inWord = false;
    for (int c : text.codePoints().toArray()) {
      out.append(inWord ? lower(Character.toString(c)) : titleCase(c));
      inWord = isCased(c);
    }
    return out.toString();
  }

  private static boolean isCased(int c) {
    return Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c);
  }

  private static String titleCase(int c) {
    int title = Character.toTitleCase(c);
    if (title != c || !Character.isLowerCase(c)) {
      return Character.toString(title);
    }
    return capitalizeExpansion(upper(Character.toString(c))); // as ß, whose upper case is SS
  }

  private static String capitalizeExpansion(String upper) {
    int first = upper.offsetByCodePoints(0, 1);
    return upper.substring(0, first) + lower(upper.substring(first));
  }

  /** Whether repr shows {@code c} as it is. */
  static boolean isPrintable(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      case Character.SPACE_SEPARATOR -> c == ' ';
      default -> true;
    };
  }

  /** Index in chars of character {@code index}, which may be the length. */
  static int offset(String text, long index) {
    return text.offsetByCodePoints(0, Math.toIntExact(index));
  }
}
