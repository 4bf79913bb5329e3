package org.chunkllama.guide;

import java.util.List;

/** A regular expression, parsed. */
sealed interface Pattern {
  /** One character of a set. */
  record Chars(CharSet set) implements Pattern {}

  /** One after another; empty = the empty text. */
  record Concat(List<Pattern> parts) implements Pattern {}

  /** One of them. */
  record Either(List<Pattern> options) implements Pattern {}

  /** {@code max} = {@link #ENDLESS}: no upper bound. */
  record Repeated(Pattern part, int min, int max) implements Pattern {}

  /** The text's begin or end. */
  record Anchor(boolean begin) implements Pattern {}

  int ENDLESS = -1;

  Pattern EMPTY = new Concat(List.of());

  /** Exactly this text. */
  static Pattern literal(String text) {
    return new Concat(text.codePoints().mapToObj(c -> (Pattern) new Chars(CharSet.of(c))).toList());
  }
}
