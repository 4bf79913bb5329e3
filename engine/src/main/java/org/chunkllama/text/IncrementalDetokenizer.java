package org.chunkllama.text;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Turns a stream of token ids into a stream of text without ever giving out half a character.
 *
 * <p>Tokens may end inside a UTF-8 character. Those bytes, at most three, wait for the next token;
 * all else is given out at once. Bytes that can never become a character are U+FFFD. The pieces
 * joined, with what {@link #finish} gives, equal {@link Tokenizer#decode} of all ids.
 *
 * <p>For one thread and one sequence.
 */
public final class IncrementalDetokenizer {
  private static final int MAX_CHARACTER_BYTES = 4;

  private final Tokenizer tokenizer;
  private final CharsetDecoder decoder =
      StandardCharsets.UTF_8.newDecoder().onMalformedInput(CodingErrorAction.REPLACE);

  /** Bytes that await the rest of their character; in writing mode. */
  private ByteBuffer pending = ByteBuffer.allocate(32);

  private CharBuffer out = CharBuffer.allocate(32);
  private boolean skipSpace;
  private int given; // characters
  private int begin;
  private boolean finished;

  /** The ids begin a text: the space that a SentencePiece tokenizer puts first is taken away. */
  public IncrementalDetokenizer(Tokenizer tokenizer) {
    this(tokenizer, false);
  }

  private IncrementalDetokenizer(Tokenizer tokenizer, boolean continues) {
    this.tokenizer = tokenizer;
    this.skipSpace = tokenizer.addsSpacePrefix() && !continues;
  }

  /** The ids go on after other text, such as a raw prompt: a first space belongs to the text. */
  public static IncrementalDetokenizer continuing(Tokenizer tokenizer) {
    return new IncrementalDetokenizer(tokenizer, true);
  }

  /**
   * Text that {@code id} completes; often empty inside a character, and for control tokens.
   *
   * @throws IllegalStateException after {@link #finish}
   */
  public String append(int id) {
    if (finished) {
      throw new IllegalStateException("append after finish: make a detokenizer per sequence");
    }
    begin = given;
    byte[] bytes = tokenizer.bytes(id);
    int from = 0;
    if (skipSpace && bytes.length > 0) {
      skipSpace = false;
      from = bytes[0] == ' ' ? 1 : 0;
    }
    if (bytes.length == from) {
      return "";
    }
    reserve(bytes.length);
    String head = "";
    if (pending.position()
        > 0) { // the first byte tells if the token goes on with the character, or breaks it off
      pending.put(bytes[from++]);
      head = decode(false);
      begin = pending.position() > 0 ? given : given - 1;
    }
    pending.put(bytes, from, bytes.length - from);
    return head + decode(false);
  }

  /**
   * Where in the text the last token begins, in Unicode code points. One that is a later part of a
   * character begins where the character does.
   */
  public int begin() {
    return begin;
  }

  /** The rest: U+FFFD if the last token ended inside a character, else empty. Ends the text. */
  public String finish() {
    if (finished) {
      return "";
    }
    finished = true;
    return decode(true);
  }

  private String decode(boolean last) {
    pending.flip();
    out.clear();
    decoder.decode(pending, out, last);
    if (last) {
      decoder.flush(out);
    }
    pending.compact();
    String text = out.flip().toString();
    given += text.codePointCount(0, text.length());
    return text;
  }

  /** Room for {@code bytes} more and for the characters they may become: at most one each. */
  private void reserve(int bytes) {
    int need = bytes + MAX_CHARACTER_BYTES;
    if (pending.capacity() < need) {
      pending = ByteBuffer.allocate(2 * need).put(pending.flip());
      out = CharBuffer.allocate(2 * need);
    }
  }
}
