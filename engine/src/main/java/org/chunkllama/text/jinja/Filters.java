package org.chunkllama.text.jinja;

import java.util.HashMap;
import java.util.Map;

/** What stands after a bar. */
final class Filters {
  /** A filter: a function of what stands before the bar, and of the arguments. */
  @FunctionalInterface
  interface Function {
    Object apply(Object input, Arguments arguments, Evaluator evaluator);
  }

  private static final Map<String, Function> ALL = new HashMap<>();

  static {
    ALL.putAll(TextFilters.ALL);
    ALL.putAll(NumberFilters.ALL);
    ALL.putAll(ListFilters.ALL);
    ALL.putAll(SelectFilters.ALL);
  }

  private Filters() {}

  static boolean exists(String name) {
    return ALL.containsKey(name);
  }

  static Object apply(String name, Object input, Arguments arguments, Evaluator evaluator) {
    Function filter = ALL.get(name);
    if (filter == null) {
      throw new JinjaError("the filter '" + name + "' is not supported");
    }
    evaluator.budget().spendOn(input);
    return filter.apply(input, arguments, evaluator);
  }
}
