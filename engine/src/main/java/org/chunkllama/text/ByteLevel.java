package org.chunkllama.text;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The alphabet of byte-level BPE: each byte is written as one visible character, so that a
 * vocabulary of arbitrary bytes can be kept as text. Printable Latin-1 stands for itself, the other
 * bytes follow from U+0100 on (a space is {@code Ġ}).
 */
final class ByteLevel {
  private static final int[] BYTE_OF_CHAR = new int[0x180];
  private static final char[] CHAR_OF_BYTE = new char[256];

  static {
    Arrays.fill(BYTE_OF_CHAR, -1);
    char next = 0x100;
    for (int b = 0; b < 256; b++) {
      boolean itself = (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
      char c = itself ? (char) b : next++;
      CHAR_OF_BYTE[b] = c;
      BYTE_OF_CHAR[c] = b;
    }
  }

  private ByteLevel() {}

  /** The character that stands for byte {@code b}, 0 to 255. */
  static char character(int b) {
    return CHAR_OF_BYTE[b];
  }

  /** Bytes that {@code token} stands for; a token with characters outside the alphabet is text. */
  static byte[] bytes(String token) {
    var out = new ByteArrayOutputStream(token.length());
    for (int i = 0; i < token.length(); i++) {
      char c = token.charAt(i);
      if (c >= BYTE_OF_CHAR.length || BYTE_OF_CHAR[c] < 0) {
        return token.getBytes(StandardCharsets.UTF_8);
      }
      out.write(BYTE_OF_CHAR[c]);
    }
    return out.toByteArray();
  }
}
