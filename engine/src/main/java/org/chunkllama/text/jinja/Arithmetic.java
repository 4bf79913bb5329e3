package org.chunkllama.text.jinja;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Python's arithmetic. Whole numbers have 64 bits and never wrap around. */
final class Arithmetic {
  private Arithmetic() {}

  static Object apply(String operator, Object left, Object right, Budget budget) {
    try {
      if (Comparison.isNumber(left) && Comparison.isNumber(right)) {
        return left instanceof Double || right instanceof Double || operator.equals("/")
            ? ofDoubles(operator, toDouble(left), toDouble(right))
            : ofLongs(operator, toLong(left), toLong(right));
      }
      Object result = ofSequences(operator, left, right, budget);
      if (result != null) {
        return result;
      }
    } catch (ArithmeticException e) {
      throw new JinjaError("a whole number becomes larger than 64 bits hold");
    }
    if (left instanceof Undefined undefined) {
      throw undefined.error();
    }
    if (right instanceof Undefined undefined) {
      throw undefined.error();
    }
    throw new JinjaError(
        "'"
            + operator
            + "' cannot join '"
            + Types.name(left)
            + "' and '"
            + Types.name(right)
            + "'");
  }

  static Object negate(Object value) {
    return switch (value) {
      case Double number -> -number;
      case Long number when number != Long.MIN_VALUE -> -number;
      case Boolean truth -> truth ? -1L : 0L;
      case Undefined undefined -> throw undefined.error();
      default -> throw new JinjaError("'" + Types.name(value) + "' cannot be negated");
    };
  }

  static Object plus(Object value) {
    return switch (value) {
      case Double _, Long _ -> value;
      case Boolean truth -> truth ? 1L : 0L;
      case Undefined undefined -> throw undefined.error();
      default -> throw new JinjaError("'" + Types.name(value) + "' is not a number");
    };
  }

  static double toDouble(Object number) {
    return switch (number) {
      case Boolean truth -> truth ? 1 : 0;
      case Number n -> n.doubleValue();
      default -> throw new JinjaError("'" + Types.name(number) + "' is not a number");
    };
  }

  static long toLong(Object number) {
    return switch (number) {
      case Boolean truth -> truth ? 1 : 0;
      case Long n -> n;
      case Undefined undefined -> throw undefined.error();
      default -> throw new JinjaError("'" + Types.name(number) + "' is not a whole number");
    };
  }

  private static Object ofLongs(String operator, long a, long b) {
    return switch (operator) {
      case "+" -> Math.addExact(a, b);
      case "-" -> Math.subtractExact(a, b);
      case "*" -> Math.multiplyExact(a, b);
      case "//" -> floorDivide(a, nonZero(b));
      case "%" -> Math.floorMod(a, nonZero(b));
      case "**" -> b < 0 ? ofDoubles("**", (double) a, (double) b) : power(a, b);
      default -> throw new IllegalArgumentException(operator);
    };
  }

  private static long floorDivide(long a, long b) {
    if (a == Long.MIN_VALUE && b == -1) {
      throw new ArithmeticException();
    }
    return Math.floorDiv(a, b);
  }

  private static long nonZero(long divisor) {
    if (divisor == 0) {
      throw new JinjaError("division by zero");
    }
    return divisor;
  }

  private static long power(long base, long exponent) {
    long result = 1;
    for (long i = 0; i < exponent; i++) {
      long next = Math.multiplyExact(result, base);
      if (next == result) {
        return result; // 0 or 1, whatever the exponent
      }
      if (base == -1) {
        return exponent % 2 == 0 ? 1 : -1;
      }
      result = next;
    }
    return result;
  }

  private static Object ofDoubles(String operator, double a, double b) {
    return switch (operator) {
      case "+" -> a + b;
      case "-" -> a - b;
      case "*" -> a * b;
      case "/" -> a / nonZero(b);
      case "//" -> Math.floor(a / nonZero(b));
      case "%" -> floorMod(a, nonZero(b));
      case "**" -> Math.pow(a == 0 && b < 0 ? nonZero(a) : a, b);
      default -> throw new IllegalArgumentException(operator);
    };
  }

  private static double nonZero(double divisor) {
    if (divisor == 0) {
      throw new JinjaError("division by zero");
    }
    return divisor;
  }

  private static double floorMod(double a, double b) {
    double rest = a % b;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
  }

  /** Joining and repeating; null where the operands do not suit. */
  private static @Nullable Object ofSequences(
      String operator, Object left, Object right, Budget budget) {
    return switch (operator) {
      case "+" -> join(left, right, budget);
      case "*" ->
          right instanceof Long || right instanceof Boolean
              ? repeat(left, toLong(right), budget)
              : left instanceof Long || left instanceof Boolean
                  ? repeat(right, toLong(left), budget)
                  : null;
      case "%" -> left instanceof String form ? PercentFormat.format(form, right, budget) : null;
      default -> null;
    };
  }

  private static @Nullable Object join(Object left, Object right, Budget budget) {
    if (left instanceof String a && right instanceof String b) {
      budget.spend((long) a.length() + b.length());
      return a + b;
    }
    if (left instanceof List<?> a && right instanceof List<?> b && !isRange(a) && !isRange(b)) {
      return joined(a, b, budget);
    }
    if (left instanceof Tuple(var a) && right instanceof Tuple(var b)) {
      return new Tuple(joined(a, b, budget));
    }
    return null;
  }

  private static boolean isRange(List<?> list) {
    return list instanceof Range;
  }

  private static List<Object> joined(List<?> a, List<?> b, Budget budget) {
    budget.spendItems((long) a.size() + b.size());
    var list = new ArrayList<Object>(a.size() + b.size());
    list.addAll(a);
    list.addAll(b);
    return list;
  }

  private static @Nullable Object repeat(Object value, long times, Budget budget) {
    long count = Math.max(0, times);
    if (value instanceof String text) {
      budget.spend(count, text.length());
      return text.isEmpty() ? "" : text.repeat(Math.toIntExact(count));
    }
    List<Object> items = value instanceof Range ? null : Types.sequence(value);
    if (items == null) {
      return null;
    }
    budget.spend(count, 8L * items.size());
    var list = new ArrayList<Object>();
    for (long i = 0; i < count && !items.isEmpty(); i++) {
      list.addAll(items);
    }
    return value instanceof Tuple ? new Tuple(list) : list;
  }
}
