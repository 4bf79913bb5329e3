package org.chunkllama.text;

import java.nio.charset.StandardCharsets;

/** How SentencePiece spells tokens: {@code ▁} is a space, {@code <0x0A>} is a byte. */
final class PieceBytes {
  /** Stands for a space inside pieces. */
  static final char SPACE = '\u2581';

  private PieceBytes() {}

  /** Bytes of an ordinary piece. */
  static byte[] text(String piece) {
    return piece.replace(SPACE, ' ').getBytes(StandardCharsets.UTF_8);
  }

  /** The value of a piece such as {@code <0x0A>}, 0 to 255; -1 for any other piece. */
  static int byteValue(String piece) {
    if (piece.length() != 6 || !piece.startsWith("<0x") || piece.charAt(5) != '>') {
      return -1;
    }
    int high = Character.digit(piece.charAt(3), 16);
    int low = Character.digit(piece.charAt(4), 16);
    return high < 0 || low < 0 ? -1 : (high << 4) | low;
  }

  /** Bytes of {@code piece}, be it a byte or text. */
  static byte[] bytes(String piece) {
    int value = byteValue(piece);
    return value < 0 ? text(piece) : new byte[] {(byte) value};
  }
}
