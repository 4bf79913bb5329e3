package org.chunkllama.text.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** {@code owner.name}, {@code owner[index]} and {@code owner[start:stop:step]}. */
final class Access {
  private Access() {}

  /** An attribute or method, else an entry of that name, else undefined. */
  static Object attribute(Object owner, String name) {
    if (owner instanceof Undefined undefined) {
      throw undefined.error();
    }
    Object own = own(owner, name);
    if (own != null) {
      return own;
    }
    Object entry = owner instanceof Map<?, ?> map ? map.get(name) : null;
    return entry != null ? entry : Undefined.attribute(owner, name);
  }

  /** An entry, else an attribute or method of that name, else undefined. */
  static Object item(Object owner, Object index) {
    if (owner instanceof Undefined undefined) {
      throw undefined.error();
    }
    Object entry = entry(owner, index);
    if (entry == null && index instanceof String name) {
      entry = own(owner, name);
    }
    return entry != null ? entry : Undefined.attribute(owner, index);
  }

  private static @Nullable Object entry(Object owner, Object index) {
    if (owner instanceof Map<?, ?> map) {
      return index instanceof List || index instanceof Map ? null : map.get(Keys.of(map, index));
    }
    if (!(index instanceof Long || index instanceof Boolean)) {
      return null;
    }
    long length =
        owner instanceof String || Types.sequence(owner) != null ? Types.length(owner) : 0;
    long at = Arithmetic.toLong(index);
    at = at < 0 ? at + length : at;
    if (at < 0 || at >= length) {
      return null;
    }
    if (owner instanceof String text) {
      return Character.toString(text.codePointAt(PyText.offset(text, at)));
    }
    List<Object> items = Types.sequence(owner);
    return items == null ? null : items.get((int) at);
  }

  private static @Nullable Object own(Object owner, String name) {
    return switch (owner) {
      case Namespace namespace -> namespace.values().get(name);
      case Loop loop -> loop.attribute(name);
      case Group group -> group.attribute(name);
      default -> Methods.find(owner, name);
    };
  }

  /** Path such as {@code function.arguments.0}, followed by {@link #item}. */
  static Object path(Object owner, Object path) {
    return path(owner, path, null);
  }

  /** The same with {@code fallback}, unless null, wherever a step finds nothing. */
  static Object path(Object owner, Object path, @Nullable Object fallback) {
    if (!(path instanceof String text)) {
      return orFallback(item(owner, path), fallback);
    }
    Object value = owner;
    for (String part : text.split("\\.", -1)) {
      boolean number = !part.isEmpty() && part.chars().allMatch(c -> c >= '0' && c <= '9');
      Object step = number && part.length() < 10 ? (Object) Long.parseLong(part) : part;
      value = orFallback(item(value, step), fallback);
    }
    return value;
  }

  private static Object orFallback(Object value, @Nullable Object fallback) {
    return value instanceof Undefined && fallback != null ? fallback : value;
  }

  /** A part of a string, list or tuple; null bounds are the ends. */
  static Object slice(
      Object owner, @Nullable Long start, @Nullable Long stop, @Nullable Long step, Budget budget) {
    if (owner instanceof Undefined undefined) {
      throw undefined.error();
    }
    budget.spendOn(owner);
    List<Object> items =
        owner instanceof String text ? PyText.characters(text) : Types.sequence(owner);
    if (items == null) {
      return Undefined.attribute(owner, "[:]");
    }
    budget.spendItems(items.size());
    List<Object> part = slice(items, start, stop, step == null ? 1 : step);
    if (owner instanceof String) {
      var joined = new StringBuilder();
      part.forEach(joined::append);
      return joined.toString();
    }
    return owner instanceof Tuple ? new Tuple(part) : part;
  }

  private static List<Object> slice(
      List<Object> items, @Nullable Long start, @Nullable Long stop, long step) {
    if (step == 0) {
      throw new JinjaError("a slice's step must not be zero");
    }
    int size = items.size();
    long first = step > 0 ? 0 : size - 1L;
    long end = step > 0 ? size : -1L;
    long from = start == null ? first : clamp(start, size, step);
    long to = stop == null ? end : clamp(stop, size, step);
    var part = new ArrayList<Object>();
    for (long i = from; step > 0 ? i < to : i > to; i += step) {
      part.add(items.get((int) i));
      if (Math.abs(step) > size) {
        break; // the next index is outside, and might overflow
      }
    }
    return part;
  }

  private static long clamp(long index, int size, long step) {
    long at = index < 0 ? index + size : index;
    return step > 0 ? Math.clamp(at, 0, size) : Math.clamp(at, -1, size - 1);
  }
}
