package org.chunkllama.text.jinja;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Names and their values; what is not here is looked for further out. */
final class Scope {
  private final @Nullable Scope outer;
  private final Map<String, Object> values;

  private Scope(@Nullable Scope outer, Map<String, Object> values) {
    this.outer = outer;
    this.values = values;
  }

  static Scope root(Map<String, Object> values) {
    return new Scope(null, new HashMap<>(values));
  }

  Scope inner() {
    return new Scope(this, new HashMap<>());
  }

  void set(String name, Object value) {
    values.put(name, value);
  }

  Object get(String name) {
    for (Scope at = this; at != null; at = at.outer) {
      Object value = at.values.get(name);
      if (value != null) {
        return value;
      }
    }
    return Undefined.name(name);
  }
}
