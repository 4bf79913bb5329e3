package org.chunkllama.text.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Values given to a function, filter, test, method or macro. */
record Arguments(List<Object> positional, Map<String, Object> named) {
  /** These without the first positional one. */
  Arguments rest() {
    return new Arguments(positional.subList(1, positional.size()), named);
  }

  /**
   * Gives each of {@code parameters} its value.
   *
   * @param function what is called, for the error
   */
  Bound bind(String function, String... parameters) {
    if (positional.size() > parameters.length) {
      throw new JinjaError(
          function
              + " takes at most "
              + parameters.length
              + " arguments, not "
              + positional.size());
    }
    var values = new LinkedHashMap<String, Object>();
    for (int i = 0; i < positional.size(); i++) {
      values.put(parameters[i], positional.get(i));
    }
    named.forEach((name, value) -> {
      if (!List.of(parameters).contains(name)) {
        throw new JinjaError(function + " takes no argument named '" + name + "'");
      }
      if (values.put(name, value) != null) {
        throw new JinjaError(function + " got two values for '" + name + "'");
      }
    });
    return new Bound(function, values);
  }

  /** Values by parameter name. */
  record Bound(String function, Map<String, Object> values) {
    boolean has(String name) {
      return values.containsKey(name);
    }

    Object required(String name) {
      Object value = values.get(name);
      if (value == null) {
        throw new JinjaError(function + " needs a value for '" + name + "'");
      }
      return value;
    }

    Object get(String name, Object fallback) {
      return values.getOrDefault(name, fallback);
    }

    /** The value, or null where there is none or it is None. */
    @Nullable Object orNull(String name) {
      Object value = values.get(name);
      return value == None.NONE ? null : value;
    }

    boolean flag(String name) {
      return Types.isTrue(get(name, false));
    }

    long integer(String name, long fallback) {
      Object value = values.get(name);
      if (value == null) {
        return fallback;
      }
      if (value instanceof Long || value instanceof Boolean) {
        return Arithmetic.toLong(value);
      }
      throw wrongType(name, "a whole number", value);
    }

    String text(String name) {
      Object value = required(name);
      if (value instanceof String text) {
        return text;
      }
      throw wrongType(name, "a string", value);
    }

    /** The text, or null where there is none or it is None. */
    @Nullable String textOrNull(String name) {
      return orNull(name) == null ? null : text(name);
    }

    private JinjaError wrongType(String name, String wanted, Object value) {
      return value instanceof Undefined undefined
          ? undefined.error()
          : new JinjaError(
              function
                  + " needs "
                  + wanted
                  + " for '"
                  + name
                  + "', not '"
                  + Types.name(value)
                  + "'");
    }
  }

  /** All values, of a function that takes any number but no named ones. */
  List<Object> all(String function) {
    if (!named.isEmpty()) {
      throw new JinjaError(function + " takes no named arguments");
    }
    return new ArrayList<>(positional);
  }
}
