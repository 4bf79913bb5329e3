package org.chunkllama.cli;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Byte counts as people write them. */
final class Sizes {
  private static final Pattern SIZE = Pattern.compile("(\\d{1,15})\\s*([kmgt]?)i?b?");
  private static final String UNITS = "kmgt";

  private Sizes() {}

  /** Reads {@code 512m}, {@code 2g}, {@code 2GiB}, {@code 1048576}: powers of 1024. */
  static final class Converter implements ITypeConverter<Long> {
    @Override
    public Long convert(String value) {
      Matcher matcher = SIZE.matcher(value.toLowerCase(Locale.ROOT));
      if (!matcher.matches()) {
        throw new TypeConversionException(
            "'" + value + "' is not a size; write a number with k, m or g, such as 2g");
      }
      int power = UNITS.indexOf(matcher.group(2)) + 1;
      long unit = matcher.group(2).isEmpty() ? 1 : 1L << (10 * power);
      try {
        return Math.multiplyExact(Long.parseLong(matcher.group(1)), unit);
      } catch (ArithmeticException _) {
        throw new TypeConversionException("'" + value + "' is too large a size");
      }
    }
  }

  /** {@code 93.8 MiB}. */
  static String format(long bytes) {
    if (bytes < 1024) {
      return bytes + " B";
    }
    double value = bytes;
    int unit = -1;
    while (value >= 1024 && unit < UNITS.length() - 1) {
      value /= 1024;
      unit++;
    }
    char letter = Character.toUpperCase(UNITS.charAt(unit));
    return String.format(Locale.ROOT, value < 10 ? "%.2f %ciB" : "%.1f %ciB", value, letter);
  }
}
