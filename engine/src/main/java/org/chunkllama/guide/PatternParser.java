package org.chunkllama.guide;

import java.util.ArrayList;
import java.util.List;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.guide.Pattern.Anchor;
import org.chunkllama.guide.Pattern.Chars;
import org.chunkllama.guide.Pattern.Concat;
import org.chunkllama.guide.Pattern.Either;
import org.chunkllama.guide.Pattern.Repeated;

/**
 * Reads the regular part of the regular expressions of JavaScript, Python and Java: what does not
 * look around and does not look back.
 */
final class PatternParser {
  static final int MOST_REPEATS = 1000;
  private static final int MOST_DEPTH = 200;

  private final String text;
  private int at;
  private int depth;

  private PatternParser(String text) {
    this.text = text;
  }

  /**
   * Parses a whole expression.
   *
   * @throws InvalidRequestException saying what is not understood, and where
   */
  static Pattern parse(String text) {
    PatternParser parser = new PatternParser(text);
    Pattern pattern = parser.either();
    if (parser.at < text.length()) {
      throw parser.error("')' without '('");
    }
    return pattern;
  }

  private InvalidRequestException error(String what) {
    return new InvalidRequestException(
        "regular expression '%s', position %d: %s".formatted(text, at, what));
  }

  private Pattern either() {
    if (++depth > MOST_DEPTH) {
      throw error("groups nest too deeply");
    }
    List<Pattern> options = new ArrayList<>();
    do {
      options.add(sequence());
    } while (take("|"));
    depth--;
    return options.size() == 1 ? options.getFirst() : new Either(options);
  }

  private Pattern sequence() {
    List<Pattern> parts = new ArrayList<>();
    while (at < text.length() && text.charAt(at) != '|' && text.charAt(at) != ')') {
      parts.add(repeated(atom()));
    }
    return parts.size() == 1 ? parts.getFirst() : new Concat(parts);
  }

  private boolean take(String expected) {
    boolean there = text.startsWith(expected, at);
    at += there ? expected.length() : 0;
    return there;
  }

  private int next() {
    if (at >= text.length()) {
      throw error("it ends too early");
    }
    int c = text.codePointAt(at);
    at += Character.charCount(c);
    return c;
  }

  private Pattern atom() {
    int c = next();
    return switch (c) {
      case '(' -> group();
      case '[' -> new Chars(new ClassParser().parse());
      case '.' -> new Chars(CharSet.DOT);
      case '^' -> new Anchor(true);
      case '$' -> new Anchor(false);
      case '\\' -> new Chars(escape(false));
      case '*', '+', '?' -> throw error("nothing to repeat");
      default -> new Chars(single(c));
    };
  }

  private CharSet single(int c) {
    CharSet set = CharSet.of(c).and(CharSet.ALL);
    if (set.isEmpty()) {
      throw error("half a surrogate pair");
    }
    return set;
  }

  private Pattern group() {
    if (take("?:")) {
      // plain
    } else if (take("?P<") || (text.startsWith("?<", at) && isName(at + 2) && take("?<"))) {
      int end = text.indexOf('>', at);
      if (end < 0) {
        throw error("a group's name does not end");
      }
      at = end + 1;
    } else if (text.startsWith("?", at)) {
      throw error("look-around and flags are not supported");
    }
    Pattern inner = either();
    if (!take(")")) {
      throw error("'(' without ')'");
    }
    return inner;
  }

  private boolean isName(int position) {
    return position < text.length() && Character.isLetter(text.charAt(position));
  }

  private Pattern repeated(Pattern atom) {
    Pattern result = atom;
    while (true) {
      if (take("*")) {
        result = repeat(result, 0, Pattern.ENDLESS);
      } else if (take("+")) {
        result = repeat(result, 1, Pattern.ENDLESS);
      } else if (take("?")) {
        result = repeat(result, 0, 1);
      } else if (text.startsWith("{", at) && isCount(at + 1)) {
        at++;
        result = counted(result);
      } else {
        return result;
      }
      if (take("+")) {
        throw error("possessive repetition is not supported");
      }
      boolean _ = take("?"); // a lazy one matches the same texts
    }
  }

  private boolean isCount(int position) {
    return position < text.length() && Character.isDigit(text.charAt(position));
  }

  private Pattern repeat(Pattern part, int min, int max) {
    if (part instanceof Anchor) {
      throw error("an anchor cannot repeat");
    }
    return new Repeated(part, min, max);
  }

  private Pattern counted(Pattern part) {
    int min = number();
    int max = min;
    if (take(",")) {
      max = text.startsWith("}", at) ? Pattern.ENDLESS : number();
    }
    if (!take("}")) {
      throw error("'{' without '}'");
    }
    if (max != Pattern.ENDLESS && max < min) {
      throw error("repetition from %d to %d".formatted(min, max));
    }
    return repeat(part, min, max);
  }

  private int number() {
    int value = 0;
    int from = at;
    while (isCount(at) && value <= MOST_REPEATS) {
      value = 10 * value + text.charAt(at++) - '0';
    }
    if (at == from || value > MOST_REPEATS) {
      throw error("repetitions are from 0 to " + MOST_REPEATS);
    }
    return value;
  }

  /** After a backslash; in a class \b is a backspace. */
  private CharSet escape(boolean inClass) {
    int c = next();
    return switch (c) {
      case 'd' -> CharSet.DIGITS;
      case 'D' -> CharSet.ALL.minus(CharSet.DIGITS);
      case 'w' -> CharSet.WORD;
      case 'W' -> CharSet.ALL.minus(CharSet.WORD);
      case 's' -> CharSet.SPACES;
      case 'S' -> CharSet.ALL.minus(CharSet.SPACES);
      case 'n' -> CharSet.of('\n');
      case 'r' -> CharSet.of('\r');
      case 't' -> CharSet.of('\t');
      case 'f' -> CharSet.of('\f');
      case 'v' -> CharSet.of(0x0b);
      case '0' -> CharSet.of(0);
      case 'x' -> single(hex(2));
      case 'u' -> single(take("{") ? braced() : hex(4));
      default -> {
        if (inClass && c == 'b') {
          yield CharSet.of('\b');
        }
        if (c < 128 && Character.isLetterOrDigit(c)) {
          throw error("\\%c is not supported".formatted(c));
        }
        yield single(c);
      }
    };
  }

  private int hex(int digits) {
    int value = 0;
    for (int i = 0; i < digits; i++) {
      value = 16 * value + hexDigit();
    }
    return value;
  }

  private int braced() {
    int value = 0;
    while (!take("}")) {
      value = 16 * value + hexDigit();
      if (value > Character.MAX_CODE_POINT) {
        throw error("no such character");
      }
    }
    return value;
  }

  private int hexDigit() {
    int digit = Character.digit(next(), 16);
    if (digit < 0) {
      throw error("a hexadecimal digit is missing");
    }
    return digit;
  }

  /** What stands between brackets. */
  private final class ClassParser {
    CharSet parse() {
      boolean negated = take("^");
      CharSet set = take("]") ? CharSet.of(']') : part();
      while (!take("]")) {
        set = set.or(part());
      }
      CharSet result = negated ? CharSet.ALL.minus(set) : set;
      if (result.isEmpty()) {
        throw error("a class that no character is in");
      }
      return result;
    }

    private CharSet part() {
      if (text.startsWith("[:", at) || text.startsWith("&&", at)) {
        throw error("named classes and intersections are not supported");
      }
      CharSet first = item();
      if (!text.startsWith("-", at) || text.startsWith("-]", at)) {
        return first;
      }
      at++;
      CharSet last = item();
      boolean range = first.ranges() == 1 && last.ranges() == 1 && first.first(0) == first.last(0);
      if (!range || last.first(0) != last.last(0) || first.first(0) > last.first(0)) {
        throw error("not a range of characters");
      }
      return CharSet.of(first.first(0), last.first(0)).and(CharSet.ALL);
    }

    private CharSet item() {
      int c = next();
      return c == '\\' ? escape(true) : single(c);
    }
  }
}
