package org.chunkllama.text.jinja;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;

/** Numbers as Python's two format languages write them. */
final class NumberFormat {
  /** Doubles have no more digits than this behind the point that matter to anyone. */
  private static final int PRECISION_MAX = 400;

  private NumberFormat() {}

  /**
   * A number without its sign.
   *
   * @param type {@code d f e g x X o b %} and the upper cases of e, f, g
   * @param precision digits behind the point, or -1
   */
  static String magnitude(Object number, char type, int precision) {
    if (precision > PRECISION_MAX) {
      throw new JinjaError("a precision of " + precision + " is too large");
    }
    return switch (type) {
      case 'd', 'i', 'u' -> Long.toString(whole(number)).replace("-", "");
      case 'x' -> Long.toHexString(Math.abs(whole(number)));
      case 'X' -> Long.toHexString(Math.abs(whole(number))).toUpperCase(Locale.ROOT);
      case 'o' -> Long.toOctalString(Math.abs(whole(number)));
      case 'b' -> Long.toBinaryString(Math.abs(whole(number)));
      case 'f', 'F' -> fixed(Math.abs(Arithmetic.toDouble(number)), precision);
      case 'e' -> exponential(Math.abs(Arithmetic.toDouble(number)), precision);
      case 'E' ->
          exponential(Math.abs(Arithmetic.toDouble(number)), precision).toUpperCase(Locale.ROOT);
      case '%' -> fixed(Math.abs(Arithmetic.toDouble(number)) * 100, precision) + "%";
      default -> throw new JinjaError("the number format '" + type + "' is not supported");
    };
  }

  static boolean isNegative(Object number) {
    double value = Arithmetic.toDouble(number);
    return value < 0 || (value == 0 && 1 / value < 0);
  }

  private static long whole(Object number) {
    return number instanceof Double d ? (long) d.doubleValue() : Arithmetic.toLong(number);
  }

  private static String fixed(double value, int precision) {
    if (Double.isNaN(value) || Double.isInfinite(value)) {
      return Printer.number(value);
    }
    int digits = precision < 0 ? 6 : precision;
    return new BigDecimal(value).setScale(digits, RoundingMode.HALF_EVEN).toPlainString();
  }

  private static String exponential(double value, int precision) {
    if (Double.isNaN(value) || Double.isInfinite(value)) {
      return Printer.number(value);
    }
    int digits = precision < 0 ? 6 : precision;
    if (value == 0) {
      return "0" + (digits > 0 ? "." + "0".repeat(digits) : "") + "e+00";
    }
    var exact = new BigDecimal(value);
    BigDecimal rounded = exact.round(new MathContext(digits + 1, RoundingMode.HALF_EVEN));
    int exponent = rounded.precision() - rounded.scale() - 1;
    StringBuilder all = new StringBuilder(rounded.unscaledValue().toString());
    while (all.length() < digits + 1) {
      all.append('0');
    }
    String fraction = digits > 0 ? "." + all.substring(1, digits + 1) : "";
    return all.charAt(0)
        + fraction
        + (exponent < 0 ? "e-" : "e+")
        + (Math.abs(exponent) < 10 ? "0" : "")
        + Math.abs(exponent);
  }
}
