package org.chunkllama.server.http;

import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;

/** Ids under which a request is answered and logged. */
final class RequestIds {
  /** What may go into a log line as it is. */
  private static final Pattern SAFE = Pattern.compile("[A-Za-z0-9._:-]{1,128}");

  private RequestIds() {}

  /** The client's id if it can be logged, else a new one. */
  static String of(Optional<String> stated) {
    return stated.filter(id -> SAFE.matcher(id).matches()).orElseGet(RequestIds::random);
  }

  private static String random() {
    ThreadLocalRandom random = ThreadLocalRandom.current();
    HexFormat hex = HexFormat.of();
    return hex.toHexDigits(random.nextLong()) + hex.toHexDigits(random.nextLong());
  }
}
