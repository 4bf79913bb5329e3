package org.chunkllama.text.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Methods of lists, tuples and dicts; those of strings are in {@link StringMethods}. */
final class Methods {
  private Methods() {}

  /** A method of a value. */
  @FunctionalInterface
  interface Method<T> {
    Object call(T self, Arguments arguments, Budget budget);
  }

  private static final Map<String, Method<Map<?, ?>>> DICT =
      Map.of(
          "items", (self, arguments, _) -> view("dict_items", self, arguments),
          "keys", (self, arguments, _) -> view("dict_keys", self, arguments),
          "values", (self, arguments, _) -> view("dict_values", self, arguments),
          "get", (self, arguments, _) -> get(self, arguments),
          "copy", (self, _, _) -> self);

  private static final Map<String, Method<List<Object>>> LIST =
      Map.of(
          "index", Methods::index,
          "count", (self, arguments, budget) -> count(self, arguments, budget),
          "copy", (self, _, _) -> self);

  /** The method {@code name} of {@code owner}, bound to it; null where it has none. */
  static @Nullable Object find(Object owner, String name) {
    if (owner instanceof String text) {
      return bound(StringMethods.ALL.get(name), text);
    }
    if (owner instanceof Map<?, ?> map) {
      return bound(DICT.get(name), map);
    }
    List<Object> items = Types.sequence(owner);
    return items == null ? null : bound(LIST.get(name), items);
  }

  private static <T> @Nullable Callable bound(@Nullable Method<T> method, T self) {
    return method == null
        ? null
        : (arguments, evaluator) -> {
          evaluator.budget().spendOn(self);
          return method.call(self, arguments, evaluator.budget());
        };
  }

  private static DictView view(String kind, Map<?, ?> map, Arguments arguments) {
    arguments.bind(kind.substring("dict_".length()));
    List<Object> items =
        switch (kind) {
          case "dict_keys" -> new ArrayList<>(map.keySet());
          case "dict_values" -> new ArrayList<>(map.values());
          default -> pairs(map);
        };
    return new DictView(kind, items);
  }

  static List<Object> pairs(Map<?, ?> map) {
    var pairs = new ArrayList<Object>(map.size());
    map.forEach((key, value) -> pairs.add(Tuple.of(key, value)));
    return pairs;
  }

  private static Object get(Map<?, ?> map, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("get", "key", "default");
    Object value = map.get(Keys.of(map, bound.required("key")));
    return value != null ? value : bound.get("default", None.NONE);
  }

  private static Object index(List<Object> self, Arguments arguments, Budget budget) {
    Object wanted = arguments.bind("index", "value").required("value");
    for (int i = 0; i < self.size(); i++) {
      if (Comparison.equal(self.get(i), wanted, budget)) {
        return (long) i;
      }
    }
    throw new JinjaError(Printer.repr(wanted, budget) + " is not in the list");
  }

  private static Object count(List<Object> self, Arguments arguments, Budget budget) {
    Object wanted = arguments.bind("count", "value").required("value");
    return self.stream().filter(each -> Comparison.equal(each, wanted, budget)).count();
  }
}
