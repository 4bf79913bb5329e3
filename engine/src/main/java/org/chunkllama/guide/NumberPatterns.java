package org.chunkllama.guide;

import java.util.ArrayList;
import java.util.List;
import org.chunkllama.error.InvalidRequestException;

/** Regular expressions for JSON numbers within bounds. */
final class NumberPatterns {
  static final String INTEGER = "-?(0|[1-9][0-9]{0,14})";
  static final String NUMBER = INTEGER + "(\\.[0-9]{1,15})?([eE][+-]?[0-9]{1,2})?";
  private static final String FRACTION = "(\\.[0-9]{1,12})?";

  /**
   * Bounds of a number.
   *
   * @param low least; -{@link Ranges#MOST} if there is none
   * @param lowOpen {@code low} itself is not in
   * @param high largest; {@link Ranges#MOST} if there is none
   * @param highOpen {@code high} itself is not in
   */
  record Bounds(long low, boolean lowOpen, long high, boolean highOpen) {
    private Bounds negated() {
      return new Bounds(-high, /* lowOpen= */ highOpen, -low, /* highOpen= */ lowOpen);
    }
  }

  private NumberPatterns() {}

  /**
   * Whole numbers.
   *
   * @throws InvalidRequestException if there is none
   */
  static String integers(Bounds bounds) {
    long low = bounds.lowOpen() ? bounds.low() + 1 : bounds.low();
    long high = bounds.highOpen() ? bounds.high() - 1 : bounds.high();
    List<String> options = new ArrayList<>();
    if (low < 0 && low <= high) {
      options.add("-" + Ranges.between(Math.max(1, -high), -low));
    }
    if (high >= 0 && low <= high) {
      options.add(Ranges.between(Math.max(0, low), high));
    }
    return oneOf(options);
  }

  /**
   * Numbers, with fractions.
   *
   * @throws InvalidRequestException if there is none
   */
  static String numbers(Bounds bounds) {
    List<String> options = new ArrayList<>();
    if (bounds.low() < 0) {
      List<String> magnitudes = new ArrayList<>();
      addMagnitudes(magnitudes, bounds.negated());
      magnitudes.forEach(m -> options.add("-" + m));
    }
    addMagnitudes(options, bounds);
    return oneOf(options);
  }

  /** What of the bounds is not negative. */
  private static void addMagnitudes(List<String> to, Bounds bounds) {
    long low = Math.max(0, bounds.low());
    long high = bounds.high();
    boolean lowOpen = bounds.lowOpen() && bounds.low() >= 0;
    if (lowOpen && low < high) {
      to.add(low + "\\.0{0,11}[1-9][0-9]{0,6}");
      low++;
    }
    if (low <= high - 1) {
      to.add(Ranges.between(low, high - 1) + FRACTION);
    }
    boolean onlyOpenEnd = lowOpen && bounds.low() == high;
    if (low <= high && !bounds.highOpen() && !onlyOpenEnd) {
      to.add(high + "(\\.0{1,12})?");
    }
  }

  private static String oneOf(List<String> options) {
    if (options.isEmpty()) {
      throw new InvalidRequestException("the schema's bounds leave no number");
    }
    return "(" + String.join("|", options) + ")";
  }
}
