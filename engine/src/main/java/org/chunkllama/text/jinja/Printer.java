package org.chunkllama.text.jinja;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/** Python's str() and repr(). */
final class Printer {
  private static final int DEPTH_MAX = 200;

  private final Budget budget;
  private final StringBuilder out = new StringBuilder();
  private int depth;

  private Printer(Budget budget) {
    this.budget = budget;
  }

  /** As {@code {{ value }}} prints it. */
  static String str(Object value, Budget budget) {
    return switch (value) {
      case String text -> text;
      case Undefined _ -> "";
      default -> repr(value, budget);
    };
  }

  /** As it is written inside a printed list. */
  static String repr(Object value, Budget budget) {
    var printer = new Printer(budget);
    printer.print(value);
    return printer.out.toString();
  }

  private void print(Object value) {
    budget.spend(1);
    if (++depth > DEPTH_MAX) {
      throw new JinjaError("a value to print nests too deep");
    }
    switch (value) {
      case String text -> quote(text);
      case Boolean truth -> out.append(truth ? "True" : "False");
      case Double number -> out.append(number(number));
      case Range range -> out.append(range.spelled());
      case Group group -> items("(", group, ")");
      case List<?> list -> items("[", list, "]");
      case Tuple(var items) -> items("(", items, items.size() == 1 ? ",)" : ")");
      case Map<?, ?> map -> entries("{", map, "}");
      case DictView view -> items(view.kind() + "([", view.items(), "])");
      case Undefined _ -> out.append("Undefined");
      case Namespace namespace -> entries("<Namespace {", namespace.values(), "}>");
      case Macro macro -> {
        out.append("<Macro ");
        quote(macro.name());
        out.append('>');
      }
      case Long _, None _ -> out.append(value);
      default -> out.append('<').append(Types.name(value)).append('>');
    }
    depth--;
  }

  private void items(String open, List<?> items, String close) {
    out.append(open);
    String separator = "";
    for (Object item : items) {
      out.append(separator);
      print(item);
      separator = ", ";
    }
    out.append(close);
  }

  private void entries(String open, Map<?, ?> map, String close) {
    out.append(open);
    String separator = "";
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      out.append(separator);
      print(entry.getKey());
      out.append(": ");
      print(entry.getValue());
      separator = ", ";
    }
    out.append(close);
  }

  private void quote(String text) {
    budget.spend(text.length());
    char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
    out.append(quote);
    text.codePoints()
        .forEach(c -> {
          switch (c) {
            case '\n' -> out.append("\\n");
            case '\r' -> out.append("\\r");
            case '\t' -> out.append("\\t");
            case '\\' -> out.append("\\\\");
            default -> {
              if (c == quote) {
                out.append('\\').append(quote);
              } else if (PyText.isPrintable(c)) {
                out.appendCodePoint(c);
              } else {
                escape(c);
              }
            }
          }
        });
    out.append(quote);
  }

  private void escape(int c) {
    HexFormat hex = HexFormat.of();
    if (c < 0x100) {
      out.append("\\x").append(hex.toHexDigits((byte) c));
    } else if (c < 0x10000) {
      out.append("\\u").append(hex.toHexDigits((char) c));
    } else {
      out.append("\\U").append(hex.toHexDigits(c));
    }
  }

  /** Fewest digits that read back. Java writes two even where one would do. */
  private static BigDecimal shortest(double number) {
    var decimal = new BigDecimal(Double.toString(number));
    BigDecimal oneDigit = decimal.round(new MathContext(1));
    return (oneDigit.doubleValue() == number ? oneDigit : decimal).stripTrailingZeros();
  }

  /** Python's repr of a float: the shortest that reads back, exponents below -4 and from 16. */
  static String number(double number) {
    if (Double.isNaN(number)) {
      return "nan";
    }
    if (Double.isInfinite(number)) {
      return number > 0 ? "inf" : "-inf";
    }
    if (number == 0) {
      return 1 / number < 0 ? "-0.0" : "0.0";
    }
    BigDecimal decimal = shortest(Math.abs(number));
    String digits = decimal.unscaledValue().toString();
    int exponent = digits.length() - 1 - decimal.scale();
    String sign = number < 0 ? "-" : "";
    if (exponent < -4 || exponent >= 16) {
      String fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
      String form = Math.abs(exponent) < 10 ? "e%c0%d" : "e%c%d";
      char exponentSign = exponent < 0 ? '-' : '+';
      return sign + digits.charAt(0) + fraction + form.formatted(exponentSign, Math.abs(exponent));
    }
    String plain = decimal.toPlainString();
    return sign + (plain.indexOf('.') < 0 ? plain + ".0" : plain);
  }
}
