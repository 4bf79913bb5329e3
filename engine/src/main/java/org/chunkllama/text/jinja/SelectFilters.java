package org.chunkllama.text.jinja;

import static java.util.Map.entry;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.chunkllama.text.jinja.Arguments.Bound;

/** Filters that look at each item of a list, or at whether there is a value at all. */
final class SelectFilters {
  static final Map<String, Filters.Function> ALL =
      Map.ofEntries(
          entry("default", SelectFilters::orDefault),
          entry("d", SelectFilters::orDefault),
          entry("attr", SelectFilters::attribute),
          entry("map", SelectFilters::map),
          entry("select", (input, args, evaluator) -> select(input, args, evaluator, true, false)),
          entry("reject", (input, args, evaluator) -> select(input, args, evaluator, false, false)),
          entry(
              "selectattr", (input, args, evaluator) -> select(input, args, evaluator, true, true)),
          entry(
              "rejectattr",
              (input, args, evaluator) -> select(input, args, evaluator, false, true)));

  private SelectFilters() {}

  private static Object orDefault(Object input, Arguments arguments, Evaluator evaluator) {
    Bound bound = arguments.bind("default", "default_value", "boolean");
    boolean missing = input instanceof Undefined || (bound.flag("boolean") && !Types.isTrue(input));
    return missing ? bound.get("default_value", "") : input;
  }

  private static Object attribute(Object input, Arguments arguments, Evaluator evaluator) {
    String name = arguments.bind("attr", "name").text("name");
    return input instanceof Map
        ? Access.attribute(input, name) instanceof Callable method
            ? method
            : Undefined.attribute(input, name)
        : Access.attribute(input, name);
  }

  /** Of a filter's name and arguments, or of {@code attribute} and {@code default}. */
  private static Object map(Object input, Arguments arguments, Evaluator evaluator) {
    var mapped = new ArrayList<Object>();
    if (!Types.isTrue(input)) {
      return new Generator(mapped);
    }
    List<Object> items = Types.items(input, evaluator.budget());
    if (arguments.positional().isEmpty()) {
      Bound bound = arguments.bind("map", "attribute", "default");
      Object path = bound.required("attribute");
      Object fallback = bound.orNull("default");
      for (Object item : items) {
        mapped.add(Access.path(item, path, fallback));
      }
    } else {
      String filter = name(arguments, "filter");
      for (Object item : items) {
        mapped.add(Filters.apply(filter, item, arguments.rest(), evaluator));
      }
    }
    return new Generator(mapped);
  }

  /** Of a test's name and arguments, before it an attribute's where {@code ofAttribute}. */
  private static Object select(
      Object input, Arguments arguments, Evaluator evaluator, boolean wanted, boolean ofAttribute) {
    var selected = new ArrayList<Object>();
    if (!Types.isTrue(input)) {
      return new Generator(selected);
    }
    Arguments test = arguments;
    Object path = None.NONE;
    if (ofAttribute) {
      if (arguments.positional().isEmpty()) {
        throw new JinjaError("selectattr and rejectattr need the name of an attribute");
      }
      path = arguments.positional().getFirst();
      test = arguments.rest();
    }
    for (Object item : Types.items(input, evaluator.budget())) {
      Object value = ofAttribute ? Access.path(item, path) : item;
      boolean holds =
          test.positional().isEmpty()
              ? Types.isTrue(value)
              : Tests.test(name(test, "test"), value, test.rest(), evaluator);
      if (holds == wanted) {
        selected.add(item);
      }
    }
    return new Generator(selected);
  }

  private static String name(Arguments arguments, String what) {
    if (arguments.positional().getFirst() instanceof String name) {
      return name;
    }
    throw new JinjaError("the name of a " + what + " must be a string");
  }
}
