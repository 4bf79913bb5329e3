package org.chunkllama.guide;

import java.util.ArrayList;
import java.util.List;

/** Regular expressions for whole numbers from a lower to an upper bound, no leading zeros. */
final class Ranges {
  /** Beyond this a double is no longer exact. */
  static final long MOST = 999_999_999_999_999L;

  private Ranges() {}

  /** Numbers from {@code low} to {@code high}, 0 <= low <= high <= {@link #MOST}. */
  static String between(long low, long high) {
    List<String> options = new ArrayList<>();
    long from = low;
    while (from <= high) {
      long to = Math.min(high, lastOfLength(from));
      addSameLength(options, "", Long.toString(from), Long.toString(to));
      from = to + 1;
    }
    return "(" + String.join("|", options) + ")";
  }

  private static long lastOfLength(long number) {
    long last = 9;
    while (last < number) {
      last = 10 * last + 9;
    }
    return last;
  }

  /** Digits between {@code low} and {@code high}, equally long, behind {@code head}. */
  private static void addSameLength(List<String> to, String head, String low, String high) {
    if (low.isEmpty()) {
      to.add(head);
      return;
    }
    int rest = low.length() - 1;
    char first = low.charAt(0);
    char last = high.charAt(0);
    if (low.substring(1).equals("0".repeat(rest)) && high.substring(1).equals("9".repeat(rest))) {
      to.add(head + "[" + first + "-" + last + "]" + (rest == 0 ? "" : "[0-9]{" + rest + "}"));
      return;
    }
    if (first == last) {
      addSameLength(to, head + first, low.substring(1), high.substring(1));
      return;
    }
    addSameLength(to, head + first, low.substring(1), "9".repeat(rest));
    if (last - first > 1) {
      char second = (char) (first + 1);
      char beforeLast = (char) (last - 1);
      to.add(head + "[" + second + "-" + beforeLast + "]" + "[0-9]{" + rest + "}");
    }
    addSameLength(to, head + last, "0".repeat(rest), high.substring(1));
  }
}
