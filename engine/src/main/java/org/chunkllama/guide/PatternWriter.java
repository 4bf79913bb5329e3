package org.chunkllama.guide;

import java.util.ArrayList;
import java.util.List;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.guide.Pattern.Anchor;
import org.chunkllama.guide.Pattern.Chars;
import org.chunkllama.guide.Pattern.Concat;
import org.chunkllama.guide.Pattern.Either;
import org.chunkllama.guide.Pattern.Repeated;

/** Writes patterns into an {@link Nfa}, as plain text or as what stands inside a JSON string. */
final class PatternWriter {
  private static final CharSet CONTROLS = CharSet.of(0, 0x1F);
  private static final CharSet ESCAPED = CONTROLS.or(CharSet.of('"')).or(CharSet.of('\\'));
  private static final String SHORT_CONTROLS = "\b\f\n\r\t";
  private static final String SHORT_LETTERS = "bfnrt";

  private final Nfa nfa;
  private final boolean inJson;

  PatternWriter(Nfa nfa, boolean inJson) {
    this.nfa = nfa;
    this.inJson = inJson;
  }

  /**
   * Writes what matches from {@code from} on.
   *
   * @return the state behind it
   */
  int write(Pattern pattern, int from) {
    return switch (pattern) {
      case Chars chars -> chars(chars.set(), from);
      case Concat concat -> {
        int at = from;
        for (Pattern part : concat.parts()) {
          at = write(part, at);
        }
        yield at;
      }
      case Either either -> {
        int to = nfa.newState();
        for (Pattern option : either.options()) {
          nfa.skip(write(option, from), to);
        }
        yield to;
      }
      case Repeated repeated -> repeat(repeated, from);
      case Anchor _ ->
          throw new InvalidRequestException(
              "a regular expression has '^' or '$' inside; they are understood at its ends only");
    };
  }

  private int repeat(Repeated repeated, int from) {
    int at = from;
    for (int i = 0; i < repeated.min(); i++) {
      at = write(repeated.part(), at);
    }
    if (repeated.max() == Pattern.ENDLESS) {
      int loop = nfa.newState();
      nfa.skip(at, loop);
      nfa.skip(write(repeated.part(), loop), loop);
      int to = nfa.newState();
      nfa.skip(loop, to);
      return to;
    }
    int to = nfa.newState();
    for (int i = repeated.min(); i < repeated.max(); i++) {
      nfa.skip(at, to);
      int fresh = nfa.newState(); // so that a loop at the end of the part does not lead back
      nfa.skip(at, fresh);
      at = write(repeated.part(), fresh);
    }
    nfa.skip(at, to);
    return to;
  }

  private int chars(CharSet set, int from) {
    int to = nfa.newState();
    Utf8.read(nfa, from, inJson ? set.minus(ESCAPED) : set, to);
    if (inJson) {
      escapes(set.and(ESCAPED), from, to);
    }
    return to;
  }

  private void escapes(CharSet set, int from, int to) {
    for (int i = 0; i < set.ranges(); i++) {
      for (int c = set.first(i); c <= set.last(i); c++) {
        int letter = SHORT_CONTROLS.indexOf(c);
        String escape =
            letter >= 0
                ? "\\" + SHORT_LETTERS.charAt(letter)
                : c < 0x20 ? "\\u%04x".formatted(c) : "\\" + (char) c;
        nfa.skip(text(escape, from), to);
      }
    }
  }

  /** Writes ASCII as it is. */
  int text(String ascii, int from) {
    int at = from;
    for (int i = 0; i < ascii.length(); i++) {
      int next = nfa.newState();
      nfa.read(at, ascii.charAt(i), ascii.charAt(i), next);
      at = next;
    }
    return at;
  }

  /** What must match as a whole: anchors at the ends say nothing. */
  static Pattern whole(Pattern pattern) {
    return anchored(pattern, Pattern.EMPTY);
  }

  /** What must match somewhere: text may stand before and behind where no anchor forbids it. */
  static Pattern somewhere(Pattern pattern) {
    return anchored(pattern, new Repeated(new Chars(CharSet.ALL), 0, Pattern.ENDLESS));
  }

  private static Pattern anchored(Pattern pattern, Pattern around) {
    if (pattern instanceof Either either) {
      return new Either(either.options().stream().map(o -> anchored(o, around)).toList());
    }
    List<Pattern> parts =
        new ArrayList<>(pattern instanceof Concat concat ? concat.parts() : List.of(pattern));
    if (parts.size() == 1 && parts.getFirst() instanceof Either) {
      return anchored(parts.getFirst(), around);
    }
    if (!parts.isEmpty() && parts.getFirst() instanceof Anchor first && first.begin()) {
      parts.removeFirst();
    } else {
      parts.addFirst(around);
    }
    if (!parts.isEmpty() && parts.getLast() instanceof Anchor last && !last.begin()) {
      parts.removeLast();
    } else {
      parts.addLast(around);
    }
    return new Concat(parts);
  }
}
