package org.chunkllama.files;

import org.chunkllama.error.ModelFileException;

/** Words for messages about files that may say anything. */
final class Untrusted {
  private static final int QUOTE_CHARS = 80;

  private Untrusted() {}

  /** {@code text} in quotes, on one line, cut to a readable length. */
  static String quote(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    text.codePoints()
        .limit(QUOTE_CHARS)
        .map(c -> Character.isISOControl(c) || Character.getType(c) == Character.FORMAT ? '?' : c)
        .forEach(quoted::appendCodePoint);
    if (text.codePointCount(0, text.length()) > QUOTE_CHARS) {
      quoted.append("...");
    }
    return quoted.append('"').toString();
  }

  /** The file contradicts itself or its size: only another copy helps. */
  static ModelFileException damaged(String file, String what) {
    return new ModelFileException(
        file + ": " + what + "; the file is damaged or incomplete, fetch it again");
  }
}
