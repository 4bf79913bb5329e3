package org.chunkllama.text.jinja;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Python's json.dumps, as transformers has the tojson filter call it. */
final class Json {
  private static final int DEPTH_MAX = 200;

  private final Options options;
  private final Budget budget;
  private final StringBuilder out = new StringBuilder();
  private int depth;

  /**
   * How to write.
   *
   * @param ascii characters above U+007F as escapes
   * @param indent of each level, or null for one line
   * @param sortKeys entries by key
   */
  record Options(
      boolean ascii,
      @Nullable String indent,
      String itemSeparator,
      String keySeparator,
      boolean sortKeys) {}

  private Json(Options options, Budget budget) {
    this.options = options;
    this.budget = budget;
  }

  static String write(Object value, Options options, Budget budget) {
    var json = new Json(options, budget);
    json.write(value);
    return json.out.toString();
  }

  private void write(Object value) {
    budget.spend(1);
    switch (value) {
      case String text -> quote(text);
      case Boolean truth -> out.append(truth ? "true" : "false");
      case Long number -> out.append(number);
      case Double number -> out.append(number(number));
      case None _ -> out.append("null");
      case List<?> list when !(list instanceof Range) -> list(list);
      case Tuple(var items) -> list(items);
      case Map<?, ?> map -> dict(map);
      case Undefined undefined -> throw undefined.error();
      default -> throw new JinjaError("'" + Types.name(value) + "' cannot be written as JSON");
    }
  }

  private static String number(double number) {
    if (Double.isNaN(number)) {
      return "NaN";
    }
    return Double.isInfinite(number)
        ? (number > 0 ? "Infinity" : "-Infinity")
        : Printer.number(number);
  }

  private void list(List<?> items) {
    if (items.isEmpty()) {
      out.append("[]");
      return;
    }
    open('[');
    boolean first = true;
    for (Object item : items) {
      separate(first);
      write(item);
      first = false;
    }
    close(']');
  }

  private void dict(Map<?, ?> map) {
    if (map.isEmpty()) {
      out.append("{}");
      return;
    }
    open('{');
    boolean first = true;
    for (Map.Entry<?, ?> entry : entries(map)) {
      separate(first);
      quote(key(entry.getKey()));
      out.append(options.keySeparator());
      write(entry.getValue());
      first = false;
    }
    close('}');
  }

  private List<Map.Entry<?, ?>> entries(Map<?, ?> map) {
    var entries = new ArrayList<Map.Entry<?, ?>>(map.entrySet());
    if (options.sortKeys()) {
      Comparator<Object> order = Comparison.order(budget);
      entries.sort((a, b) -> order.compare(a.getKey(), b.getKey()));
    }
    return entries;
  }

  private static String key(Object key) {
    return switch (key) {
      case String text -> text;
      case Boolean truth -> truth ? "true" : "false";
      case None _ -> "null";
      case Long number -> number.toString();
      case Double number -> number(number);
      default -> throw new JinjaError("JSON has no keys of type '" + Types.name(key) + "'");
    };
  }

  private void open(char bracket) {
    if (++depth > DEPTH_MAX) {
      throw new JinjaError("a value to write as JSON nests too deep");
    }
    out.append(bracket);
    newLine();
  }

  private void separate(boolean first) {
    if (!first) {
      budget.spend(options.itemSeparator().length());
      out.append(options.itemSeparator());
      newLine();
    }
  }

  private void close(char bracket) {
    depth--;
    newLine();
    out.append(bracket);
  }

  private void newLine() {
    if (options.indent() != null) {
      budget.spend(depth, options.indent().length());
      out.append('\n').repeat(options.indent(), depth);
    }
  }

  private void quote(String text) {
    budget.spend(text.length());
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\f' -> out.append("\\f");
        case '\b' -> out.append("\\b");
        default -> {
          if (c < ' ' || (options.ascii() && c > '~')) {
            out.append("\\u").append(HexFormat.of().toHexDigits(c));
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }
}
