package org.chunkllama.text.jinja;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.chunkllama.text.jinja.Token.Kind;

/**
 * Cuts a template into tokens, with the whitespace rules that transformers sets: the newline after
 * a tag goes ({@code trim_blocks}), blanks before a tag that begins a line go ({@code
 * lstrip_blocks}), {@code -} takes all whitespace on its side and {@code +} keeps it. One newline
 * at the end of the template goes.
 */
final class Lexer {
  private static final Pattern RAW_BEGIN = Pattern.compile("\\{%[-+]?\\s*raw\\s*(?:-%}\\s*|%})");
  private static final Pattern RAW_END =
      Pattern.compile("\\{%([-+]?)\\s*endraw\\s*(?:\\+%}|-%}\\s*|%}\\n?)");
  private static final Pattern PRINT_END = Pattern.compile("-}}\\s*|}}");
  private static final Pattern TAG_END = Pattern.compile("\\+%}|-%}\\s*|%}\\n?");
  private static final Pattern NAME = Pattern.compile("[\\w]+", Pattern.UNICODE_CHARACTER_CLASS);
  private static final Pattern OPERATOR =
      Pattern.compile("//|\\*\\*|==|!=|>=|<=|[-+*/%~()\\[\\]{}<>=.:|,;]");

  private final String source;
  private final Matcher matcher;
  private final List<Token> tokens = new ArrayList<>();
  private int at;

  /** Lines are counted once, up to {@link #lineAt}. */
  private int line = 1;

  private int lineAt;

  /** What went before ended with a newline, or nothing went before. */
  private boolean lineStarts = true;

  private Lexer(String source) {
    this.source = source;
    this.matcher = NAME.matcher(source);
  }

  /** Tokens of {@code source}; the last is {@link Kind#END}. */
  static List<Token> tokens(String source) {
    String lines = source.replace("\r\n", "\n").replace('\r', '\n');
    var lexer = new Lexer(lines.endsWith("\n") ? lines.substring(0, lines.length() - 1) : lines);
    lexer.run();
    return lexer.tokens;
  }

  private void run() {
    while (at < source.length()) {
      int tag = nextTag();
      if (tag < 0) {
        add(Kind.TEXT, source.substring(at), at);
        at = source.length();
      } else {
        tag(tag);
      }
    }
    add(Kind.END, "", source.length());
  }

  /** Position of the next <code>{{</code>, <code>{%</code> or <code>{#</code>, or -1. */
  private int nextTag() {
    for (int i = source.indexOf('{', at); i >= 0; i = source.indexOf('{', i + 1)) {
      char kind = i + 1 < source.length() ? source.charAt(i + 1) : ' ';
      if (kind == '{' || kind == '%' || kind == '#') {
        return i;
      }
    }
    return -1;
  }

  private void tag(int tag) {
    char kind = source.charAt(tag + 1);
    char sign = tag + 2 < source.length() ? source.charAt(tag + 2) : ' ';
    textBefore(tag, sign, kind != '{');
    int inside = tag + (sign == '-' || sign == '+' ? 3 : 2);
    if (kind == '#') {
      comment(inside, tag);
    } else if (kind == '{') {
      add(Kind.PRINT_BEGIN, "{{", tag);
      at = inside;
      expression(PRINT_END, Kind.PRINT_END, tag);
    } else if (matches(RAW_BEGIN, tag)) {
      raw(tag);
    } else {
      add(Kind.TAG_BEGIN, "{%", tag);
      at = inside;
      expression(TAG_END, Kind.TAG_END, tag);
    }
  }

  /** Adds the text up to {@code end}, less what the tag there takes away. */
  private void textBefore(int end, char sign, boolean takesBlanks) {
    int stop = end;
    if (sign == '-') {
      while (stop > at && PyText.isSpace(source.charAt(stop - 1))) {
        stop--;
      }
    } else if (sign != '+' && takesBlanks) {
      int start = stop;
      while (start > at
          && source.charAt(start - 1) != '\n'
          && PyText.isSpace(source.charAt(start - 1))) {
        start--;
      }
      boolean ownLine = start > at ? source.charAt(start - 1) == '\n' : lineStarts;
      stop = ownLine ? start : stop;
    }
    if (stop > at) {
      add(Kind.TEXT, source.substring(at, stop), at);
    }
  }

  private void comment(int inside, int begin) {
    int end = source.indexOf("#}", inside);
    if (end < 0) {
      throw new JinjaError("this comment has no end: close it with #}", lineOf(begin));
    }
    at = end + 2;
    char sign = end > inside ? source.charAt(end - 1) : ' ';
    if (sign == '-') {
      skipSpace();
    } else if (sign != '+' && at < source.length() && source.charAt(at) == '\n') {
      at++;
    }
    ended();
  }

  private void raw(int begin) {
    int start = matcher.end();
    matcher.usePattern(RAW_END).region(start, source.length());
    if (!matcher.find()) {
      throw new JinjaError("this raw block has no end: close it with {% endraw %}", lineOf(begin));
    }
    int end = matcher.end();
    at = start;
    lineStarts = source.charAt(start - 1) == '\n';
    String sign = matcher.group(1);
    textBefore(matcher.start(), sign.isEmpty() ? ' ' : sign.charAt(0), true);
    at = end;
    ended();
  }

  /** Tokens up to the end of the tag or print. */
  private void expression(Pattern end, Kind endKind, int begin) {
    int beginLine = lineOf(begin);
    Deque<Character> open = new ArrayDeque<>();
    while (true) {
      skipSpace();
      if (at >= source.length()) {
        throw new JinjaError(
            "this tag has no end: close it with " + (endKind == Kind.TAG_END ? "%}" : "}}"),
            beginLine);
      }
      if (open.isEmpty() && matches(end, at)) {
        add(endKind, matcher.group(), at);
        at = matcher.end();
        ended();
        return;
      }
      token(open);
    }
  }

  private void token(Deque<Character> open) {
    char c = source.charAt(at);
    if (c == '"' || c == '\'') {
      int end = Literals.stringEnd(source, at);
      if (end < 0) {
        throw new JinjaError("this string has no end: close it with " + c, lineOf(at));
      }
      int line = lineOf(at);
      tokens.add(
          new Token(Kind.STRING, Literals.unescape(source.substring(at + 1, end - 1), line), line));
      at = end;
    } else if (c >= '0' && c <= '9') {
      int end = Literals.floatEnd(source, at);
      boolean isFloat = end >= 0;
      end = isFloat ? end : Literals.integerEnd(source, at);
      addUpTo(end, isFloat ? Kind.FLOAT : Kind.INTEGER);
    } else if (matches(NAME, at)) {
      addUpTo(matcher.end(), Kind.NAME);
    } else if (matches(OPERATOR, at)) {
      balance(c, open);
      addUpTo(matcher.end(), Kind.OPERATOR);
    } else {
      String found = Character.toString(source.codePointAt(at));
      throw new JinjaError("unexpected character '" + found + "'", lineOf(at));
    }
  }

  private void addUpTo(int end, Kind kind) {
    add(kind, source.substring(at, end), at);
    at = end;
  }

  private void balance(char c, Deque<Character> open) {
    switch (c) {
      case '(' -> open.push(')');
      case '[' -> open.push(']');
      case '{' -> open.push('}');
      case ')', ']', '}' -> {
        if (open.isEmpty() || open.pop() != c) {
          throw new JinjaError("unexpected '" + c + "': the brackets do not match", lineOf(at));
        }
      }
      default -> {}
    }
  }

  private boolean matches(Pattern pattern, int from) {
    return matcher.usePattern(pattern).region(from, source.length()).lookingAt();
  }

  private void skipSpace() {
    while (at < source.length() && PyText.isSpace(source.charAt(at))) {
      at++;
    }
  }

  private void ended() {
    lineStarts = source.charAt(at - 1) == '\n';
  }

  private void add(Kind kind, String text, int from) {
    tokens.add(new Token(kind, text, lineOf(from)));
  }

  private int lineOf(int position) {
    for (; lineAt < position; lineAt++) {
      if (source.charAt(lineAt) == '\n') {
        line++;
      }
    }
    return line;
  }
}
