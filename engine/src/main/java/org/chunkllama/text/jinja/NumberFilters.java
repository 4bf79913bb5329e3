package org.chunkllama.text.jinja;

import static java.util.Map.entry;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import java.util.Map;
import org.chunkllama.text.jinja.Arguments.Bound;
import org.jspecify.annotations.Nullable;

/** Filters that make numbers. */
final class NumberFilters {
  static final Map<String, Filters.Function> ALL =
      Map.ofEntries(
          entry("abs", NumberFilters::abs),
          entry("int", NumberFilters::toInt),
          entry("float", NumberFilters::toFloat),
          entry("round", NumberFilters::round),
          entry("length", (input, _, _) -> Types.length(input)),
          entry("count", (input, _, _) -> Types.length(input)),
          entry("sum", NumberFilters::sum));

  private NumberFilters() {}

  private static Object abs(Object input, Arguments arguments, Evaluator evaluator) {
    arguments.bind("abs");
    boolean negative = Comparison.isNumber(input) && Arithmetic.toDouble(input) < 0;
    return negative ? Arithmetic.negate(input) : Arithmetic.plus(input);
  }

  private static Object toInt(Object input, Arguments arguments, Evaluator evaluator) {
    Bound bound = arguments.bind("int", "default", "base");
    Object fallback = bound.get("default", 0L);
    Object number =
        switch (input) {
          case Long _ -> input;
          case Boolean truth -> truth ? 1L : 0L;
          case Double d -> d;
          case String text -> parse(text.strip(), (int) bound.integer("base", 10));
          case Undefined undefined -> throw undefined.error();
          default -> null;
        };
    if (number instanceof Double d) {
      boolean fits = Math.abs(d) < 0x1p63;
      return fits ? (Object) (long) d.doubleValue() : fallback;
    }
    return number == null ? fallback : number;
  }

  /** A whole number of {@code base}, else any number, else null. */
  private static @Nullable Object parse(String text, int base) {
    String digits = text.replace("_", "");
    boolean negative = digits.startsWith("-");
    String unsigned = negative || digits.startsWith("+") ? digits.substring(1) : digits;
    String prefix = base == 16 ? "0x" : base == 8 ? "0o" : base == 2 ? "0b" : " ";
    if (unsigned.regionMatches(true, 0, prefix, 0, 2)) {
      unsigned = unsigned.substring(2);
    }
    try {
      if (!unsigned.startsWith("-") && !unsigned.startsWith("+")) {
        return Long.parseLong((negative ? "-" : "") + unsigned, base);
      }
    } catch (NumberFormatException e) {
      // not a whole number, as 42.23: below
    }
    return parseFloat(text);
  }

  private static @Nullable Double parseFloat(String text) {
    String lower = PyText.lower(PyText.strip(text, null, true, true));
    String unsigned = lower.startsWith("-") || lower.startsWith("+") ? lower.substring(1) : lower;
    boolean negative = lower.startsWith("-");
    switch (unsigned) {
      case "inf", "infinity" -> {
        return negative ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
      }
      case "nan" -> {
        return Double.NaN;
      }
      default -> {
        // Java also reads hexadecimal floats and type suffixes; Python does not.
        boolean plain = unsigned.chars().allMatch(c -> "0123456789.e+-_".indexOf(c) >= 0);
        try {
          return plain ? (Double) Double.parseDouble(lower.replace("_", "")) : null;
        } catch (NumberFormatException e) {
          return null;
        }
      }
    }
  }

  private static Object toFloat(Object input, Arguments arguments, Evaluator evaluator) {
    Object fallback = arguments.bind("float", "default").get("default", 0.0);
    Object number =
        switch (input) {
          case Long _, Double _, Boolean _ -> Arithmetic.toDouble(input);
          case String text -> parseFloat(text);
          case Undefined undefined -> throw undefined.error();
          default -> null;
        };
    return number == null ? fallback : number;
  }

  private static Object round(Object input, Arguments arguments, Evaluator evaluator) {
    Bound bound = arguments.bind("round", "precision", "method");
    long precision = Math.clamp(bound.integer("precision", 0), -400, 400);
    String method = bound.has("method") ? bound.text("method") : "common";
    Object number = Arithmetic.plus(input);
    double value = Arithmetic.toDouble(number);
    double scale = Math.pow(10, (double) precision);
    return switch (method) {
      case "ceil" -> Math.ceil(value * scale) / scale;
      case "floor" -> Math.floor(value * scale) / scale;
      case "common" -> {
        if (number instanceof Long whole) {
          yield roundWhole(whole, (int) precision);
        }
        yield Double.isFinite(value) ? round(value, (int) precision) : value;
      }
      default -> throw new JinjaError("round's method must be common, ceil or floor");
    };
  }

  /** Ties of the exact binary value go to the even digit, as Python's round has it. */
  private static double round(double value, int precision) {
    double rounded =
        new BigDecimal(value).setScale(precision, RoundingMode.HALF_EVEN).doubleValue();
    return rounded == 0 && value < 0 ? -0.0 : rounded;
  }

  private static long roundWhole(long value, int precision) {
    return precision >= 0
        ? value
        : BigDecimal.valueOf(value).setScale(precision, RoundingMode.HALF_EVEN).longValue();
  }

  private static Object sum(Object input, Arguments arguments, Evaluator evaluator) {
    Bound bound = arguments.bind("sum", "attribute", "start");
    List<Object> items = Types.items(input, evaluator.budget());
    Object attribute = bound.orNull("attribute");
    Object sum = bound.get("start", 0L);
    for (Object item : items) {
      Object value = attribute == null ? item : Access.path(item, attribute);
      sum = Arithmetic.apply("+", sum, value, evaluator.budget());
    }
    return sum;
  }
}
