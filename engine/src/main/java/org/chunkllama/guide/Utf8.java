package org.chunkllama.guide;

/** Code points as bytes of an {@link Nfa}. */
final class Utf8 {
  private static final int[] LAST_OF_LENGTH = {0x7F, 0x7FF, 0xFFFF, 0x10FFFF};

  private Utf8() {}

  /** Reads a character of {@code set}. */
  static void read(Nfa nfa, int from, CharSet set, int to) {
    for (int i = 0; i < set.ranges(); i++) {
      int first = set.first(i);
      for (int length = 1; length <= 4 && first <= set.last(i); length++) {
        int last = Math.min(set.last(i), LAST_OF_LENGTH[length - 1]);
        if (first <= last) {
          range(nfa, from, encode(first, length), encode(last, length), 0, to);
          first = last + 1;
        }
      }
    }
  }

  /**
   * Reads what lies between two encodings of equal length, from byte {@code at} on, in the order of
   * their bytes.
   */
  private static void range(Nfa nfa, int from, int[] low, int[] high, int at, int to) {
    if (at == low.length - 1) {
      nfa.read(from, low[at], high[at], to);
      return;
    }
    if (low[at] == high[at]) {
      int next = nfa.newState();
      nfa.read(from, low[at], low[at], next);
      range(nfa, next, low, high, at + 1, to);
      return;
    }
    int first = low[at];
    int last = high[at];
    if (!isAll(low, at + 1, 0x80)) {
      int next = nfa.newState();
      nfa.read(from, first, first, next);
      range(nfa, next, low, filled(low, 0xBF), at + 1, to);
      first++;
    }
    if (!isAll(high, at + 1, 0xBF)) {
      int next = nfa.newState();
      nfa.read(from, last, last, next);
      range(nfa, next, filled(high, 0x80), high, at + 1, to);
      last--;
    }
    if (first <= last) {
      int state = from;
      int next = nfa.newState();
      nfa.read(state, first, last, next);
      for (int i = at + 1; i < low.length; i++) {
        state = next;
        next = i == low.length - 1 ? to : nfa.newState();
        nfa.read(state, 0x80, 0xBF, next);
      }
    }
  }

  private static boolean isAll(int[] bytes, int from, int value) {
    for (int i = from; i < bytes.length; i++) {
      if (bytes[i] != value) {
        return false;
      }
    }
    return true;
  }

  private static int[] filled(int[] bytes, int value) {
    int[] filled = new int[bytes.length];
    java.util.Arrays.fill(filled, value);
    return filled;
  }

  private static int[] encode(int codePoint, int length) {
    int[] bytes = new int[length];
    int rest = codePoint;
    for (int i = length - 1; i > 0; i--) {
      bytes[i] = 0x80 | (rest & 0x3F);
      rest >>= 6;
    }
    bytes[0] = length == 1 ? rest : (0xF00 >> length & 0xFF) | rest;
    return bytes;
  }
}
