package org.chunkllama.text.jinja;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Python's {@code "{} and {name:>5}".format(...)}. */
final class BraceFormat {
  private static final Pattern SPEC =
      Pattern.compile(
          "(?:(?<fill>.)?(?<align>[<>=^]))?(?<sign>[-+ ])?(?<zero>0)?(?<width>\\d{1,9})?"
              + "(?<comma>,)?(?:\\.(?<precision>\\d{1,9}))?(?<type>[a-zA-Z%])?",
          Pattern.DOTALL);

  private final String form;
  private final Arguments arguments;
  private final Budget budget;
  private final StringBuilder out = new StringBuilder();
  private int next;

  private BraceFormat(String form, Arguments arguments, Budget budget) {
    this.form = form;
    this.arguments = arguments;
    this.budget = budget;
  }

  static String format(String form, Arguments arguments, Budget budget) {
    return new BraceFormat(form, arguments, budget).run();
  }

  private String run() {
    int i = 0;
    while (i < form.length()) {
      char c = form.charAt(i);
      boolean twice = i + 1 < form.length() && form.charAt(i + 1) == c;
      if ((c == '{' || c == '}') && twice) {
        out.append(c);
        i += 2;
      } else if (c == '{') {
        int end = form.indexOf('}', i);
        if (end < 0 || form.substring(i + 1, end).indexOf('{') >= 0) {
          throw new JinjaError("the format '" + form + "' has a { without a }, or nests them");
        }
        field(form.substring(i + 1, end));
        i = end + 1;
      } else if (c == '}') {
        throw new JinjaError("the format '" + form + "' has a } without a {");
      } else {
        out.append(c);
        i++;
      }
    }
    budget.spend(out.length());
    return out.toString();
  }

  /** {@code name!conversion:spec}. */
  private void field(String field) {
    int colon = field.indexOf(':');
    String spec = colon < 0 ? "" : field.substring(colon + 1);
    String name = colon < 0 ? field : field.substring(0, colon);
    char conversion = ' ';
    int mark = name.indexOf('!');
    if (mark >= 0) {
      conversion = mark + 2 == name.length() ? name.charAt(mark + 1) : '?';
      name = name.substring(0, mark);
    }
    Object value = value(name);
    value =
        switch (conversion) {
          case ' ' -> value;
          case 's' -> Printer.str(value, budget);
          case 'r', 'a' -> Printer.repr(value, budget);
          default -> throw new JinjaError("a field's conversion must be !s or !r");
        };
    out.append(formatted(value, spec));
  }

  private Object value(String name) {
    Matcher parts = Pattern.compile("[^.\\[]*").matcher(name);
    parts.lookingAt();
    String first = parts.group();
    Object value;
    if (first.isEmpty() || first.chars().allMatch(c -> c >= '0' && c <= '9')) {
      int index =
          first.isEmpty()
              ? next++
              : Integer.parseInt("0" + first.substring(0, Math.min(6, first.length())));
      if (index >= arguments.positional().size()) {
        throw new JinjaError("the format '" + form + "' needs more values");
      }
      value = arguments.positional().get(index);
    } else {
      value = arguments.named().getOrDefault(first, None.NONE);
      if (!arguments.named().containsKey(first)) {
        throw new JinjaError("the format '" + form + "' needs a value for '" + first + "'");
      }
    }
    Matcher step =
        Pattern.compile("\\.([^.\\[]+)|\\[([^]]+)]").matcher(name.substring(first.length()));
    while (step.find()) {
      value =
          step.group(1) != null
              ? Access.attribute(value, step.group(1))
              : Access.path(value, step.group(2));
    }
    return value;
  }

  private String formatted(Object value, String spec) {
    Matcher parts = SPEC.matcher(spec);
    if (!parts.matches()) {
      throw new JinjaError("the format '" + spec + "' is not supported");
    }
    boolean number = Comparison.isNumber(value) && !(value instanceof Boolean && spec.isEmpty());
    String precision = parts.group("precision");
    int digits = precision == null ? -1 : Integer.parseInt(precision);
    String sign = "";
    String text;
    if (number && !spec.isEmpty()) {
      boolean negative = NumberFormat.isNegative(value);
      String wanted = parts.group("sign");
      sign = negative ? "-" : wanted == null || wanted.equals("-") ? "" : wanted;
      text = number(value, parts, digits);
    } else {
      text = Printer.str(value, budget);
      text = digits >= 0 && digits < text.length() ? text.substring(0, digits) : text;
    }
    return aligned(sign, text, parts, number);
  }

  private static String number(Object value, Matcher parts, int digits) {
    String type = parts.group("type");
    String text;
    if (type != null) {
      text = NumberFormat.magnitude(value, type.charAt(0), digits);
    } else if (value instanceof Double d) {
      text = digits < 0 ? Printer.number(Math.abs(d)) : NumberFormat.magnitude(d, 'f', digits);
    } else {
      text = NumberFormat.magnitude(value, 'd', digits);
    }
    return parts.group("comma") == null ? text : grouped(text);
  }

  /** A comma between each three digits before the point. */
  private static String grouped(String text) {
    int end = 0;
    while (end < text.length() && Character.isDigit(text.charAt(end))) {
      end++;
    }
    var out = new StringBuilder(text);
    for (int i = end - 3; i > 0; i -= 3) {
      out.insert(i, ',');
    }
    return out.toString();
  }

  private String aligned(String sign, String text, Matcher parts, boolean number) {
    boolean zero = parts.group("zero") != null && parts.group("align") == null;
    String fill = zero ? "0" : parts.group("fill") == null ? " " : parts.group("fill");
    String align = parts.group("align") == null ? (number ? ">" : "<") : parts.group("align");
    long width = parts.group("width") == null ? 0 : Long.parseLong(parts.group("width"));
    if ((zero && number) || align.equals("=")) {
      return sign + StringMethods.pad(text, width - sign.length(), fill, "rjust", budget);
    }
    if (align.equals("^")) {
      long left = Math.max(0, width - (sign + text).length()) / 2;
      String half = StringMethods.pad("", left, fill, "ljust", budget) + sign + text;
      return StringMethods.pad(half, width, fill, "ljust", budget);
    }
    return StringMethods.pad(
        sign + text, width, fill, align.equals("<") ? "ljust" : "rjust", budget);
  }
}
