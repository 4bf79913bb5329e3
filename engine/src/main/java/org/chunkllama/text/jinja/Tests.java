package org.chunkllama.text.jinja;

import java.util.List;
import java.util.Map;
import java.util.Set;

/** What stands after {@code is}. */
final class Tests {
  private static final Map<String, String> COMPARISONS =
      Map.ofEntries(
          Map.entry("==", "=="),
          Map.entry("eq", "=="),
          Map.entry("equalto", "=="),
          Map.entry("!=", "!="),
          Map.entry("ne", "!="),
          Map.entry("<", "<"),
          Map.entry("lt", "<"),
          Map.entry("lessthan", "<"),
          Map.entry("<=", "<="),
          Map.entry("le", "<="),
          Map.entry(">", ">"),
          Map.entry("gt", ">"),
          Map.entry("greaterthan", ">"),
          Map.entry(">=", ">="),
          Map.entry("ge", ">="),
          Map.entry("in", "in"));

  private static final Set<String> OTHERS =
      Set.of(
          "defined",
          "undefined",
          "none",
          "true",
          "false",
          "boolean",
          "string",
          "number",
          "integer",
          "float",
          "mapping",
          "sequence",
          "iterable",
          "callable",
          "odd",
          "even",
          "divisibleby",
          "upper",
          "lower",
          "sameas",
          "escaped",
          "filter",
          "test");

  private Tests() {}

  static boolean exists(String name) {
    return COMPARISONS.containsKey(name) || OTHERS.contains(name);
  }

  static boolean test(String name, Object value, Arguments arguments, Evaluator evaluator) {
    evaluator.budget().spendOn(value);
    String operator = COMPARISONS.get(name);
    if (operator != null) {
      return Comparison.test(operator, value, one(name, arguments), evaluator.budget());
    }
    return switch (name) {
      case "divisibleby" -> isZero(remainder(value, one(name, arguments), evaluator));
      case "sameas" -> isSame(value, one(name, arguments));
      default -> {
        arguments.bind("the test " + name);
        yield test(name, value, evaluator);
      }
    };
  }

  private static boolean test(String name, Object value, Evaluator evaluator) {
    return switch (name) {
      case "defined" -> !(value instanceof Undefined);
      case "undefined" -> value instanceof Undefined;
      case "none" -> value == None.NONE;
      case "true" -> Boolean.TRUE.equals(value);
      case "false" -> Boolean.FALSE.equals(value);
      case "boolean" -> value instanceof Boolean;
      case "string" -> value instanceof String;
      case "number" -> Comparison.isNumber(value);
      case "integer" -> value instanceof Long;
      case "float" -> value instanceof Double;
      case "mapping" -> value instanceof Map;
      case "sequence" -> isSequence(value);
      case "iterable" -> Types.isIterable(value);
      case "callable" -> value instanceof Callable;
      case "odd" -> !isZero(remainder(value, 2L, evaluator));
      case "even" -> isZero(remainder(value, 2L, evaluator));
      case "upper" -> StringMethods.isCased(Printer.str(value, evaluator.budget()), true);
      case "lower" -> StringMethods.isCased(Printer.str(value, evaluator.budget()), false);
      case "escaped" -> false;
      case "filter" -> value instanceof String filter && Filters.exists(filter);
      case "test" -> value instanceof String test && exists(test);
      default -> throw new JinjaError("the test '" + name + "' is not supported");
    };
  }

  private static Object one(String name, Arguments arguments) {
    return arguments.bind("the test " + name, "other").required("other");
  }

  /** Has a length and can be indexed: dicts and undefined values too. */
  private static boolean isSequence(Object value) {
    return value instanceof String
        || value instanceof List
        || value instanceof Tuple
        || value instanceof Map;
  }

  private static Object remainder(Object value, Object divisor, Evaluator evaluator) {
    return Arithmetic.apply("%", value, divisor, evaluator.budget());
  }

  private static boolean isZero(Object number) {
    return number instanceof Long whole ? whole == 0 : Arithmetic.toDouble(number) == 0;
  }

  /** Python's {@code is}; small values are the same where they are equal. */
  private static boolean isSame(Object value, Object other) {
    boolean small = value instanceof Long || value instanceof Boolean || value instanceof String;
    return small ? value.equals(other) : Comparison.isSame(value, other);
  }
}
