package org.chunkllama.text.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The kinds of values: String, Boolean, Long, Double, List, Map, and those of this package. Never
 * null: None is {@link None#NONE}.
 */
final class Types {
  private static final int DEPTH_MAX = 200;

  private Types() {}

  /** A value from outside in the engine's kinds, deep. */
  static Object of(@Nullable Object value) {
    return of(value, 0);
  }

  private static Object of(@Nullable Object value, int depth) {
    if (depth > DEPTH_MAX) {
      throw new JinjaError("the messages hold lists or maps that nest too deep");
    }
    return switch (value) {
      case null -> None.NONE;
      case String text -> text;
      case Boolean truth -> truth;
      case Integer number -> number.longValue();
      case Short number -> number.longValue();
      case Byte number -> number.longValue();
      case Float number -> Double.parseDouble(number.toString());
      case Long number -> number;
      case Double number -> number;
      case BigDecimal number -> number.doubleValue();
      case BigInteger number when number.bitLength() < Long.SIZE -> number.longValue();
      case Iterable<?> items -> list(items, depth);
      case Map<?, ?> map -> map(map, depth);
      case Object other when isOwn(other) -> other;
      default ->
          throw new JinjaError(
              "a value of type "
                  + value.getClass().getName()
                  + " cannot be given to a template; use strings, numbers, lists and maps");
    };
  }

  private static boolean isOwn(Object value) {
    return value instanceof None || value instanceof Callable || value instanceof Undefined;
  }

  private static List<Object> list(Iterable<?> items, int depth) {
    var list = new ArrayList<Object>();
    for (Object item : items) {
      list.add(of(item, depth + 1));
    }
    return list;
  }

  private static Map<Object, Object> map(Map<?, ?> map, int depth) {
    var copy = LinkedHashMap.<Object, Object>newLinkedHashMap(map.size());
    map.forEach((key, value) -> copy.put(of(key, depth + 1), of(value, depth + 1)));
    return copy;
  }

  /** The type's name in Python. */
  static String name(Object value) {
    return switch (value) {
      case String _ -> "str";
      case Boolean _ -> "bool";
      case Long _ -> "int";
      case Double _ -> "float";
      case None _ -> "NoneType";
      case Range _ -> "range";
      case List<?> _ -> "list";
      case Tuple _ -> "tuple";
      case Map<?, ?> _ -> "dict";
      case DictView view -> view.kind();
      case Generator _ -> "generator";
      case Undefined _ -> "Undefined";
      case Namespace _ -> "Namespace";
      case Loop _ -> "LoopContext";
      case Macro _ -> "Macro";
      default -> "function";
    };
  }

  static boolean isTrue(Object value) {
    return switch (value) {
      case Boolean truth -> truth;
      case None _ -> false;
      case Undefined _ -> false;
      case Long number -> number != 0;
      case Double number -> number != 0;
      case String text -> !text.isEmpty();
      case List<?> list -> !list.isEmpty();
      case Tuple tuple -> !tuple.items().isEmpty();
      case Map<?, ?> map -> !map.isEmpty();
      case DictView view -> !view.items().isEmpty();
      case Loop loop -> loop.length() > 0;
      default -> true;
    };
  }

  /** Items of what can be counted and indexed by position; null for other values. */
  @SuppressWarnings("unchecked")
  static @Nullable List<Object> sequence(Object value) {
    return switch (value) {
      case List<?> list -> (List<Object>) list;
      case Tuple tuple -> tuple.items();
      default -> null;
    };
  }

  @SuppressWarnings("unchecked")
  static @Nullable Map<Object, Object> dict(Object value) {
    return value instanceof Map<?, ?> map ? (Map<Object, Object>) map : null;
  }

  static boolean isIterable(Object value) {
    return value instanceof String
        || value instanceof List
        || value instanceof Tuple
        || value instanceof Map
        || value instanceof DictView
        || value instanceof Generator
        || value instanceof Undefined
        || value instanceof Loop;
  }

  /** What iterating over {@code value} gives; uses a generator up. */
  static List<Object> items(Object value, Budget budget) {
    budget.spendItems(size(value));
    return switch (value) {
      case String text -> PyText.characters(text);
      case Tuple tuple -> tuple.items();
      case Map<?, ?> map -> new ArrayList<>(map.keySet());
      case DictView view -> view.items();
      case Generator generator -> drain(generator.items(), budget);
      case Undefined _ -> List.of();
      case List<?> _ -> Objects.requireNonNull(sequence(value));
      default -> throw new JinjaError("'" + name(value) + "' is not iterable");
    };
  }

  private static long size(Object value) {
    return value instanceof Generator || !isIterable(value) ? 0 : length(value);
  }

  private static List<Object> drain(Iterator<Object> items, Budget budget) {
    var list = new ArrayList<Object>();
    items.forEachRemaining(list::add);
    budget.spendItems(list.size());
    return list;
  }

  /** Python's len(). */
  static long length(Object value) {
    return switch (value) {
      case String text -> text.codePointCount(0, text.length());
      case List<?> list -> list.size();
      case Tuple tuple -> tuple.items().size();
      case Map<?, ?> map -> map.size();
      case DictView view -> view.items().size();
      case Undefined _ -> 0;
      case Loop loop -> loop.length();
      default -> throw new JinjaError("'" + name(value) + "' has no length");
    };
  }
}
