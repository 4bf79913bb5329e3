package org.chunkllama.text.jinja;

import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** Python's strftime of a local time, in English. */
final class TimeFormat {
  private TimeFormat() {}

  static String format(LocalDateTime time, String form) {
    var out = new StringBuilder();
    for (int i = 0; i < form.length(); i++) {
      char c = form.charAt(i);
      if (c != '%' || i + 1 == form.length()) {
        out.append(c);
        continue;
      }
      boolean unpadded = form.charAt(i + 1) == '-' && i + 2 < form.length();
      i += unpadded ? 2 : 1;
      String field = field(time, form.charAt(i));
      boolean padded = unpadded && field.length() > 1 && field.charAt(0) == '0';
      out.append(padded ? field.replaceFirst("^0+(?=.)", "") : field);
    }
    return out.toString();
  }

  private static String field(LocalDateTime time, char field) {
    String pattern =
        switch (field) {
          case 'a' -> "EEE";
          case 'A' -> "EEEE";
          case 'b', 'h' -> "MMM";
          case 'B' -> "MMMM";
          case 'd' -> "dd";
          case 'm' -> "MM";
          case 'y' -> "uu";
          case 'Y' -> "uuuu";
          case 'H' -> "HH";
          case 'I' -> "hh";
          case 'M' -> "mm";
          case 'S' -> "ss";
          case 'f' -> "SSSSSS";
          case 'p' -> "a";
          case 'j' -> "DDD";
          case 'F' -> "uuuu-MM-dd";
          case 'T', 'X' -> "HH:mm:ss";
          case 'D', 'x' -> "MM/dd/uu";
          case 'R' -> "HH:mm";
          case 'c' -> "EEE MMM ppd HH:mm:ss uuuu";
          case 'e' -> "ppd";
          case '%' -> "'%'";
          case 'n' -> "'\n'";
          case 't' -> "'\t'";
          case 'z', 'Z' -> "''"; // Python's now() has no zone
          default -> throw new JinjaError("strftime's %" + field + " is not supported");
        };
    return pattern.equals("''")
        ? ""
        : DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(time);
  }
}
