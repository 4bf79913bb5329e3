package org.chunkllama.text.jinja;

import java.util.Map;

/** Keys of dicts, by Python's rules of what can be one and which are equal. */
final class Keys {
  private static final int PARTS_MAX = 100;

  private Keys() {}

  /** {@code key} itself, unless it is of a kind that cannot be a key. */
  static Object checked(Object key) {
    if (!isKey(key, new int[] {PARTS_MAX})) {
      throw new JinjaError("'" + Types.name(key) + "' cannot be a key, or is too large for one");
    }
    return key;
  }

  /** Bounds the parts, as hashing visits each of them, also those that are one object. */
  private static boolean isKey(Object key, int[] partsLeft) {
    if (--partsLeft[0] < 0) {
      return false;
    }
    return switch (key) {
      case String _, None _, Undefined _ -> true;
      case Tuple(var items) -> items.stream().allMatch(item -> isKey(item, partsLeft));
      default -> Comparison.isNumber(key);
    };
  }

  /** The key of {@code map} that equals {@code key}, as 1 does 1.0 and true; else {@code key}. */
  static Object of(Map<?, ?> map, Object key) {
    if (!Comparison.isNumber(checked(key)) || map.containsKey(key)) {
      return key;
    }
    double number = Arithmetic.toDouble(key);
    Object whole = (long) number;
    if ((long) number == number && map.containsKey(whole)) {
      return whole;
    }
    Object truth = number == 1;
    if ((number == 1 || number == 0) && map.containsKey(truth)) {
      return truth;
    }
    return map.containsKey(number) ? (Object) number : key;
  }
}
