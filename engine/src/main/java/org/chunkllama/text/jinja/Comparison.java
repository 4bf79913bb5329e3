package org.chunkllama.text.jinja;

import java.util.Comparator;
import java.util.List;
import java.util.Map;

/** Python's comparisons: {@code ==}, {@code <}, {@code in}. */
final class Comparison {
  private static final int DEPTH_MAX = 200;

  private Comparison() {}

  static boolean test(String operator, Object left, Object right, Budget budget) {
    return switch (operator) {
      case "==" -> equal(left, right, budget);
      case "!=" -> !equal(left, right, budget);
      case "in" -> contains(right, left, budget);
      case "not in" -> !contains(right, left, budget);
      default -> {
        if (isNan(left) || isNan(right)) {
          yield false;
        }
        int order = compare(left, right, budget);
        yield switch (operator) {
          case "<" -> order < 0;
          case "<=" -> order <= 0;
          case ">" -> order > 0;
          case ">=" -> order >= 0;
          default -> throw new IllegalArgumentException(operator);
        };
      }
    };
  }

  static boolean equal(Object left, Object right, Budget budget) {
    return equal(left, right, budget, 0);
  }

  private static boolean equal(Object left, Object right, Budget budget, int depth) {
    budget.spend(1);
    if (depth > DEPTH_MAX) {
      throw new JinjaError("values to compare nest too deep");
    }
    if (isNumber(left) && isNumber(right)) {
      return numeric(left, right) == 0 && !isNan(left) && !isNan(right);
    }
    return switch (left) {
      case String text -> {
        budget.spend(text.length());
        yield text.equals(right);
      }
      case Undefined _ -> right instanceof Undefined;
      case List<?> list -> right instanceof List<?> other && items(list, other, budget, depth);
      case Tuple(var items) ->
          right instanceof Tuple(var others) && items(items, others, budget, depth);
      case Map<?, ?> map -> right instanceof Map<?, ?> other && entries(map, other, budget, depth);
      default -> isSame(left, right);
    };
  }

  /** Python's {@code is}. */
  @SuppressWarnings("ReferenceEquality") // that is what it asks
  static boolean isSame(Object left, Object right) {
    return left == right;
  }

  private static boolean items(List<?> left, List<?> right, Budget budget, int depth) {
    if (left.size() != right.size()) {
      return false;
    }
    for (int i = 0; i < left.size(); i++) {
      if (!equal(left.get(i), right.get(i), budget, depth + 1)) {
        return false;
      }
    }
    return true;
  }

  private static boolean entries(Map<?, ?> left, Map<?, ?> right, Budget budget, int depth) {
    if (left.size() != right.size()) {
      return false;
    }
    for (Map.Entry<?, ?> entry : left.entrySet()) {
      Object other = right.get(Keys.of(right, entry.getKey()));
      if (other == null || !equal(entry.getValue(), other, budget, depth + 1)) {
        return false;
      }
    }
    return true;
  }

  /** Order of two numbers, strings, lists or tuples; others have none. */
  static int compare(Object left, Object right, Budget budget) {
    budget.spend(1);
    if (isNumber(left) && isNumber(right)) {
      return numeric(left, right);
    }
    if (left instanceof String a && right instanceof String b) {
      budget.spend(Math.min(a.length(), b.length()));
      return codePointOrder(a, b);
    }
    List<Object> a = left.getClass() == right.getClass() ? Types.sequence(left) : null;
    List<Object> b = a == null ? null : Types.sequence(right);
    if (a == null || b == null || left instanceof Range) {
      throw noOrder(left, right);
    }
    for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
      if (!equal(a.get(i), b.get(i), budget)) {
        return compare(a.get(i), b.get(i), budget);
      }
    }
    return Integer.compare(a.size(), b.size());
  }

  private static JinjaError noOrder(Object left, Object right) {
    for (Object each : List.of(left, right)) {
      if (each instanceof Undefined undefined) {
        return undefined.error();
      }
    }
    return new JinjaError(
        "'" + Types.name(left) + "' and '" + Types.name(right) + "' have no order");
  }

  /** Orders as {@link #compare}; for sorting. */
  static Comparator<Object> order(Budget budget) {
    return (a, b) -> compare(a, b, budget);
  }

  static boolean contains(Object container, Object item, Budget budget) {
    if (container instanceof String text) {
      if (!(item instanceof String part)) {
        throw new JinjaError(
            "'in' of a string needs a string on its left, not '" + Types.name(item) + "'");
      }
      budget.spendSearch(text.length(), part.length());
      return text.contains(part);
    }
    if (container instanceof Map<?, ?> map) {
      return map.containsKey(Keys.of(map, item));
    }
    for (Object each : Types.items(container, budget)) {
      if (equal(each, item, budget)) {
        return true;
      }
    }
    return false;
  }

  /** Code points, not chars: what takes two chars comes last. */
  private static int codePointOrder(String a, String b) {
    for (int i = 0; i < Math.min(a.length(), b.length()); i++) {
      char left = a.charAt(i);
      char right = b.charAt(i);
      if (left != right) {
        int byLength = Boolean.compare(Character.isSurrogate(left), Character.isSurrogate(right));
        return byLength != 0 ? byLength : Character.compare(left, right);
      }
    }
    return Integer.compare(a.length(), b.length());
  }

  static boolean isNumber(Object value) {
    return value instanceof Long || value instanceof Double || value instanceof Boolean;
  }

  private static boolean isNan(Object value) {
    return value instanceof Double number && number.isNaN();
  }

  private static int numeric(Object left, Object right) {
    if (left instanceof Double || right instanceof Double) {
      double a = Arithmetic.toDouble(left);
      double b = Arithmetic.toDouble(right);
      return a < b ? -1 : a > b ? 1 : 0;
    }
    return Long.compare(Arithmetic.toLong(left), Arithmetic.toLong(right));
  }
}
