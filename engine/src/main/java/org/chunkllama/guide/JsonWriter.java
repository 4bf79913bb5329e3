package org.chunkllama.guide;

import java.util.Collection;
import java.util.function.IntUnaryOperator;

/**
 * Writes the parts of JSON texts into an {@link Nfa}. Between the parts of an object or array a
 * blank may stand, or a line break with up to {@value #MOST_INDENT} blanks; no more, so that no
 * answer is lost in blanks.
 */
final class JsonWriter {
  private static final int MOST_INDENT = 16;

  /** A character of a string that is no escape. */
  private static final CharSet PLAIN =
      CharSet.ALL.minus(CharSet.of(0, 0x1F)).minus(CharSet.of('"')).minus(CharSet.of('\\'));

  private static final String ESCAPE =
      "\\\\([\"\\\\/bfnrt]|u([0-9a-cA-CefEF][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2}))";
  private static final Pattern GAP = PatternParser.parse("( |\\n {0," + MOST_INDENT + "})?");
  private static final Pattern CHARACTER =
      new Pattern.Either(java.util.List.of(new Pattern.Chars(PLAIN), PatternParser.parse(ESCAPE)));

  private final Nfa nfa;
  private final PatternWriter plain;
  private int anyValue = -1;
  private int anyObject = -1;

  JsonWriter(Nfa nfa) {
    this.nfa = nfa;
    this.plain = new PatternWriter(nfa, false);
  }

  int pattern(String regex, int from) {
    return plain.write(PatternParser.parse(regex), from);
  }

  /** Exactly this text. */
  int literal(String text, int from) {
    return plain.write(Pattern.literal(text), from);
  }

  int gap(int from) {
    return plain.write(GAP, from);
  }

  /** A string of {@code min} to {@code max} characters; {@link Pattern#ENDLESS} = no bound. */
  int string(int min, int max, int from) {
    int open = plain.text("\"", from);
    return plain.text("\"", plain.write(new Pattern.Repeated(CHARACTER, min, max), open));
  }

  /** A string with the content that a regular expression finds something in. */
  int stringLike(String regex, int from) {
    int open = plain.text("\"", from);
    Pattern content = PatternWriter.somewhere(PatternParser.parse(regex));
    return plain.text("\"", new PatternWriter(nfa, true).write(content, open));
  }

  /** A member's key that is none of {@code names}, without escapes. */
  int otherKey(Collection<String> names, int from) {
    int open = plain.text("\"", from);
    int free = nfa.newState(); // differs from every name
    Utf8.read(nfa, free, PLAIN, free);
    int close = nfa.newState();
    nfa.skip(free, close);
    unlike(names.stream().map(name -> name.codePoints().toArray()).toList(), 0, open, free, close);
    return plain.text("\"", close);
  }

  /** Reads on from where all of {@code names} began as the key did so far. */
  private void unlike(Collection<int[]> names, int at, int state, int free, int close) {
    if (names.stream().noneMatch(name -> name.length == at)) {
      nfa.skip(state, close);
    }
    CharSet others = PLAIN;
    int[] next =
        names.stream().filter(n -> n.length > at).mapToInt(n -> n[at]).distinct().toArray();
    for (int c : next) {
      CharSet one = CharSet.of(c).and(PLAIN);
      if (!one.isEmpty()) { // else no key without escapes goes on like that
        others = others.minus(one);
        int below = nfa.newState();
        Utf8.read(nfa, state, one, below);
        unlike(
            names.stream().filter(n -> n.length > at && n[at] == c).toList(),
            at + 1,
            below,
            free,
            close);
      }
    }
    Utf8.read(nfa, state, others, free);
  }

  /** A rule for what {@code body} writes. */
  int rule(IntUnaryOperator body) {
    int rule = nfa.newRule();
    nfa.skip(body.applyAsInt(nfa.start(rule)), nfa.end(rule));
    return rule;
  }

  int call(int rule, int from) {
    int to = nfa.newState();
    nfa.call(from, rule, to);
    return to;
  }

  /** Any JSON value. */
  int any(int from) {
    if (anyValue < 0) {
      anyValue = nfa.newRule();
      int start = nfa.start(anyValue);
      int end = nfa.end(anyValue);
      nfa.skip(pattern("true|false|null|" + NumberPatterns.NUMBER, start), end);
      nfa.skip(string(0, Pattern.ENDLESS, start), end);
      nfa.skip(anyObject(start), end);
      nfa.skip(list('[', ']', this::any, start), end);
    }
    return call(anyValue, from);
  }

  /** Any JSON object. */
  int anyObject(int from) {
    if (anyObject < 0) {
      anyObject = nfa.newRule();
      int start = nfa.start(anyObject);
      int end = list('{', '}', at -> any(colon(string(0, Pattern.ENDLESS, at))), start);
      nfa.skip(end, nfa.end(anyObject));
    }
    return call(anyObject, from);
  }

  /** Between a key and its value. */
  int colon(int from) {
    return pattern(": ?", from);
  }

  /** Any number of {@code item}. */
  private int list(char open, char close, IntUnaryOperator item, int from) {
    return list(open, close, item, 0, Pattern.ENDLESS, from);
  }

  /** {@code min} to {@code max} times what {@code item} writes, in brackets. */
  int list(char open, char close, IntUnaryOperator item, int min, int max, int from) {
    int opened = plain.text(String.valueOf(open), from);
    int last = nfa.newState();
    int at = opened;
    int unrolled = max == Pattern.ENDLESS ? Math.max(1, min) : max;
    for (int i = 0; i < unrolled; i++) {
      if (i >= min) {
        nfa.skip(i == 0 ? at : gap(at), last);
      }
      at = item.applyAsInt(gap(i == 0 ? at : plain.text(",", at)));
    }
    if (max == Pattern.ENDLESS) {
      nfa.skip(item.applyAsInt(gap(plain.text(",", at))), at);
    }
    nfa.skip(unrolled == 0 ? at : gap(at), last);
    return plain.text(String.valueOf(close), last);
  }
}
