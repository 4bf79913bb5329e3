package org.chunkllama.guide;

import java.util.Map;

/** Regular expressions for the formats of strings. */
final class Formats {
  private static final String YEAR = "(19|20)[0-9]{2}";
  private static final String DATE =
      YEAR
          + "-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])"
          + "|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))";
  private static final String TIME =
      "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9])";
  private static final String LABEL = "[a-z0-9]{1,12}(-[a-z0-9]{1,12})?";
  private static final String BYTE = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";

  /** By name. */
  static final Map<String, String> PATTERNS =
      Map.of(
          "date", DATE,
          "time", TIME,
          "date-time", DATE + "T" + TIME,
          "uuid", "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
          "email",
              "[A-Za-z0-9_]{1,15}([.+-][A-Za-z0-9_]{1,15}){0,3}@(" + LABEL + "\\.){1,3}[a-z]{2,8}",
          "ipv4", BYTE + "(\\." + BYTE + "){3}",
          "uri", "https?://(" + LABEL + "\\.){1,3}[a-z]{2,8}(/[A-Za-z0-9._~-]{1,30}){0,8}");

  private Formats() {}
}
