package org.chunkllama.text.jinja;

import static java.util.Map.entry;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.chunkllama.text.jinja.Arguments.Bound;
import org.jspecify.annotations.Nullable;

/** Filters that order lists, cut them, or pick from them. */
final class ListFilters {
  static final Map<String, Filters.Function> ALL =
      Map.ofEntries(
          entry("first", ListFilters::first),
          entry("last", ListFilters::last),
          entry("list", (input, _, evaluator) -> copy(input, evaluator)),
          entry("items", ListFilters::items),
          entry("reverse", ListFilters::reverse),
          entry("sort", ListFilters::sort),
          entry("dictsort", ListFilters::dictSort),
          entry("unique", ListFilters::unique),
          entry("min", (input, arguments, evaluator) -> extreme(input, arguments, evaluator, true)),
          entry(
              "max", (input, arguments, evaluator) -> extreme(input, arguments, evaluator, false)),
          entry("batch", ListFilters::batch),
          entry("slice", ListFilters::slice),
          entry("groupby", ListFilters::groupBy));

  private ListFilters() {}

  private static List<Object> copy(Object input, Evaluator evaluator) {
    return new ArrayList<>(Types.items(input, evaluator.budget()));
  }

  private static Object first(Object input, Arguments arguments, Evaluator evaluator) {
    arguments.bind("first");
    if (input instanceof Generator(var items)) {
      return items.hasNext() ? items.next() : new Undefined("first of nothing");
    }
    List<Object> items = Types.items(input, evaluator.budget());
    return items.isEmpty() ? new Undefined("first of nothing") : items.getFirst();
  }

  private static Object last(Object input, Arguments arguments, Evaluator evaluator) {
    arguments.bind("last");
    if (input instanceof Generator) {
      throw new JinjaError("last needs a list: put |list before it");
    }
    List<Object> items = Types.items(input, evaluator.budget());
    return items.isEmpty() ? new Undefined("last of nothing") : items.getLast();
  }

  private static Object items(Object input, Arguments arguments, Evaluator evaluator) {
    arguments.bind("items");
    return switch (input) {
      case Undefined _ -> new Generator(List.of());
      case Map<?, ?> map -> new Generator(Methods.pairs(map));
      default -> throw new JinjaError("items needs a dict, not '" + Types.name(input) + "'");
    };
  }

  private static Object reverse(Object input, Arguments arguments, Evaluator evaluator) {
    arguments.bind("reverse");
    if (input instanceof String text) {
      return PyText.reverse(text);
    }
    List<Object> items = copy(input, evaluator);
    Collections.reverse(items);
    return new Generator(items);
  }

  private static Object sort(Object input, Arguments arguments, Evaluator evaluator) {
    Bound bound = arguments.bind("sort", "reverse", "case_sensitive", "attribute");
    List<Object> items = copy(input, evaluator);
    boolean caseSensitive = bound.flag("case_sensitive");
    Object attribute = bound.orNull("attribute");
    sort(
        items,
        bound.flag("reverse"),
        item -> keys(item, attribute, caseSensitive, evaluator),
        evaluator);
    return items;
  }

  /** Makes of an item what it is sorted by. */
  @FunctionalInterface
  private interface Key {
    Object of(Object item);
  }

  private static void sort(List<Object> items, boolean reverse, Key key, Evaluator evaluator) {
    Comparator<Object> order = Comparison.order(evaluator.budget());
    Comparator<Tuple> byKey = (a, b) -> order.compare(a.items().get(0), b.items().get(0));
    var keyed = new ArrayList<Tuple>(items.size());
    for (Object item : items) {
      keyed.add(Tuple.of(key.of(item), item));
    }
    try {
      keyed.sort(reverse ? byKey.reversed() : byKey); // stable, reversed too
    } catch (IllegalArgumentException e) {
      throw new JinjaError("the values to sort have no order");
    }
    items.clear();
    keyed.forEach(pair -> items.add(pair.items().get(1)));
  }

  /** What {@code attribute}, such as {@code age,name}, gives of {@code item}: one key for each. */
  private static Object keys(
      Object item, @Nullable Object attribute, boolean caseSensitive, Evaluator evaluator) {
    if (!(attribute instanceof String paths)) {
      return key(item, attribute, caseSensitive, evaluator);
    }
    var keys = new ArrayList<Object>();
    for (String path : paths.split(",", -1)) {
      keys.add(key(item, path, caseSensitive, evaluator));
    }
    return keys;
  }

  private static Object key(
      Object item, @Nullable Object attribute, boolean caseSensitive, Evaluator evaluator) {
    Object value = attribute == null ? item : Access.path(item, attribute);
    evaluator.budget().spendOn(value);
    return value instanceof String text && !caseSensitive ? PyText.lower(text) : value;
  }

  private static Object dictSort(Object input, Arguments arguments, Evaluator evaluator) {
    Bound bound = arguments.bind("dictsort", "case_sensitive", "by", "reverse");
    if (!(input instanceof Map<?, ?> map)) {
      throw new JinjaError("dictsort needs a dict, not '" + Types.name(input) + "'");
    }
    String by = bound.has("by") ? bound.text("by") : "key";
    if (!by.equals("key") && !by.equals("value")) {
      throw new JinjaError("dictsort sorts by 'key' or 'value'");
    }
    long index = by.equals("key") ? 0 : 1;
    List<Object> pairs = Methods.pairs(map);
    boolean caseSensitive = bound.flag("case_sensitive");
    sort(
        pairs,
        bound.flag("reverse"),
        pair -> key(pair, index, caseSensitive, evaluator),
        evaluator);
    return pairs;
  }

  private static Object unique(Object input, Arguments arguments, Evaluator evaluator) {
    Bound bound = arguments.bind("unique", "case_sensitive", "attribute");
    Object attribute = bound.orNull("attribute");
    Set<Object> seen = new LinkedHashSet<>();
    var items = new ArrayList<Object>();
    for (Object item : Types.items(input, evaluator.budget())) {
      if (seen.add(hashable(key(item, attribute, bound.flag("case_sensitive"), evaluator)))) {
        items.add(item);
      }
    }
    return new Generator(items);
  }

  /** Numbers that Python holds equal as one object. */
  private static Object hashable(Object key) {
    return switch (Keys.checked(key)) {
      case Boolean truth -> truth ? 1L : 0L;
      case Double number when number == Math.rint(number) && Math.abs(number) < 0x1p53 ->
          (long) number.doubleValue();
      case Tuple(var items) -> items.stream().map(ListFilters::hashable).toList();
      default -> key;
    };
  }

  private static Object extreme(
      Object input, Arguments arguments, Evaluator evaluator, boolean least) {
    Bound bound = arguments.bind(least ? "min" : "max", "case_sensitive", "attribute");
    Object attribute = bound.orNull("attribute");
    boolean caseSensitive = bound.flag("case_sensitive");
    Object best = null;
    for (Object item : Types.items(input, evaluator.budget())) {
      int order =
          best == null
              ? 1
              : Comparison.compare(
                  key(item, attribute, caseSensitive, evaluator),
                  key(best, attribute, caseSensitive, evaluator),
                  evaluator.budget());
      if (best == null || (least ? order < 0 : order > 0)) {
        best = item;
      }
    }
    return best == null ? new Undefined("min or max of nothing") : best;
  }

  private static Object batch(Object input, Arguments arguments, Evaluator evaluator) {
    Bound bound = arguments.bind("batch", "linecount", "fill_with");
    bound.required("linecount");
    long size = bound.integer("linecount", 0);
    Object fill = bound.orNull("fill_with");
    var batches = new ArrayList<Object>();
    List<Object> batch = new ArrayList<>();
    for (Object item : Types.items(input, evaluator.budget())) {
      if (batch.size() == size) {
        batches.add(batch);
        batch = new ArrayList<>();
      }
      batch.add(item);
    }
    while (fill != null && !batch.isEmpty() && batch.size() < size) {
      evaluator.budget().spendItems(1);
      batch.add(fill);
    }
    if (!batch.isEmpty()) {
      batches.add(batch);
    }
    return new Generator(batches);
  }

  private static Object slice(Object input, Arguments arguments, Evaluator evaluator) {
    Bound bound = arguments.bind("slice", "slices", "fill_with");
    bound.required("slices");
    long slices = bound.integer("slices", 0);
    Object fill = bound.orNull("fill_with");
    List<Object> items = Types.items(input, evaluator.budget());
    if (slices < 1) {
      throw new JinjaError("slice needs at least one slice");
    }
    evaluator.budget().spendItems(slices);
    var parts = new ArrayList<Object>();
    int from = 0;
    for (long i = 0; i < slices; i++) {
      boolean longer = i < items.size() % slices;
      int to = (int) (from + items.size() / slices + (longer ? 1 : 0));
      var part = new ArrayList<>(items.subList(from, to));
      if (fill != null && !longer) {
        part.add(fill);
      }
      parts.add(part);
      from = to;
    }
    return new Generator(parts);
  }

  private static Object groupBy(Object input, Arguments arguments, Evaluator evaluator) {
    Bound bound = arguments.bind("groupby", "attribute", "default", "case_sensitive");
    Object attribute = bound.required("attribute");
    Object fallback = bound.orNull("default");
    boolean caseSensitive = bound.flag("case_sensitive");
    Key grouper = item -> Access.path(item, attribute, fallback);
    Key key = item -> key(grouper.of(item), null, caseSensitive, evaluator);
    List<Object> items = copy(input, evaluator);
    sort(items, false, key, evaluator);
    var groups = new ArrayList<Object>();
    List<Object> group = new ArrayList<>();
    for (Object item : items) {
      boolean begins =
          group.isEmpty()
              || !Comparison.equal(key.of(item), key.of(group.getFirst()), evaluator.budget());
      if (begins) {
        group = new ArrayList<>();
        groups.add(new Group(grouper.of(item), group));
      }
      group.add(item);
    }
    return groups;
  }
}
