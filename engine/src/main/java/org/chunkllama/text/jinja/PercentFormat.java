package org.chunkllama.text.jinja;

import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Python's {@code "%s and %d" % values}. */
final class PercentFormat {
  private static final Pattern FIELD =
      Pattern.compile(
          "%(?:\\((?<key>[^)]*)\\))?(?<flags>[-+ #0]*)(?<width>\\d{1,9})?"
              + "(?:\\.(?<precision>\\d{0,9}))?(?<type>.)",
          Pattern.DOTALL);

  private PercentFormat() {}

  /** {@code values}: a tuple, a dict, or the one value. */
  static String format(String form, Object values, Budget budget) {
    List<Object> positional = values instanceof Tuple(var items) ? items : List.of(values);
    var out = new StringBuilder();
    Matcher field = FIELD.matcher(form);
    int used = 0;
    int from = 0;
    while (field.find(from)) {
      out.append(form, from, field.start());
      from = field.end();
      if (field.group("type").equals("%")) {
        out.append('%');
      } else if (field.group("key") != null) {
        out.append(field(field, entry(values, field.group("key")), budget));
      } else if (used < positional.size()) {
        out.append(field(field, positional.get(used++), budget));
      } else {
        throw new JinjaError("there are not enough values for the format '" + form + "'");
      }
    }
    if (form.indexOf('%', from) >= 0) {
      throw new JinjaError("the format '" + form + "' ends inside a field");
    }
    if (used < positional.size() && !(values instanceof Map)) {
      throw new JinjaError("there are too many values for the format '" + form + "'");
    }
    budget.spend(out.length() + (long) form.length());
    return out.append(form, from, form.length()).toString();
  }

  private static Object entry(Object values, String key) {
    Object value = values instanceof Map<?, ?> map ? map.get(key) : null;
    if (value == null) {
      throw new JinjaError("the format needs a value for '" + key + "'");
    }
    return value;
  }

  private static String field(Matcher field, Object value, Budget budget) {
    String precision = field.group("precision");
    int digits = precision == null ? -1 : precision.isEmpty() ? 0 : Integer.parseInt(precision);
    String flags = field.group("flags");
    char type = field.group("type").charAt(0);
    String sign = "";
    String text;
    boolean number = "diuxXofFeE".indexOf(type) >= 0;
    if (number) {
      boolean negative = NumberFormat.isNegative(value);
      sign = negative ? "-" : flags.contains("+") ? "+" : flags.contains(" ") ? " " : "";
      text = NumberFormat.magnitude(value, type, digits);
    } else {
      text = text(type, value, budget);
      text = digits >= 0 && digits < text.length() ? text.substring(0, digits) : text;
    }
    long width = field.group("width") == null ? 0 : Long.parseLong(field.group("width"));
    if (flags.contains("-")) {
      return StringMethods.pad(sign + text, width, " ", "ljust", budget);
    }
    return number && flags.contains("0")
        ? sign + StringMethods.pad(text, width - sign.length(), "0", "rjust", budget)
        : StringMethods.pad(sign + text, width, " ", "rjust", budget);
  }

  private static String text(char type, Object value, Budget budget) {
    return switch (type) {
      case 's' -> Printer.str(value, budget);
      case 'r', 'a' -> Printer.repr(value, budget);
      case 'c' ->
          value instanceof Long code && Character.isValidCodePoint(Math.toIntExact(code))
              ? Character.toString(Math.toIntExact(code))
              : Printer.str(value, budget);
      default -> throw new JinjaError("the format '%" + type + "' is not supported");
    };
  }
}
