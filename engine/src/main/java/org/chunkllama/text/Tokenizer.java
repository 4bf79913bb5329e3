package org.chunkllama.text;

import java.util.List;

/** Text to token ids and back. Thread-safe. */
public interface Tokenizer extends AutoCloseable {
  /**
   * Ids of {@code text}. Unpaired surrogates count as U+FFFD.
   *
   * @param addSpecial put BOS (and EOS) where the model wants them
   * @param parseSpecial read control tokens such as {@code <|im_end|>} in the text as such; false
   *     treats them as plain text, which is right for text that users typed
   * @throws IllegalStateException after close
   */
  int[] encode(String text, boolean addSpecial, boolean parseSpecial);

  /**
   * Text of {@code ids}; control tokens and ids outside the vocabulary (models pad theirs) give
   * nothing; invalid UTF-8 gives U+FFFD. A space that {@link #encode} put first is taken away.
   */
  String decode(int[] ids);

  /**
   * The bytes that {@code id} adds to the text; may be a part of a character; empty for control
   * tokens and ids outside the vocabulary.
   */
  byte[] bytes(int id);

  /** Ids known: 0 .. size - 1. */
  int vocabularySize();

  /**
   * The token as the vocabulary spells it.
   *
   * @throws IndexOutOfBoundsException outside the vocabulary
   */
  String token(int id);

  /** Id of a vocabulary entry spelled exactly so, or -1. */
  int id(String token);

  /** True for control tokens: BOS, EOS, turn markers. */
  boolean isSpecial(int id);

  /** True where {@link #encode} puts a space before the text (SentencePiece). */
  boolean addsSpacePrefix();

  /** Begin-of-sequence id, or -1. */
  int bosId();

  /** Ids that end a generation. */
  List<Integer> eosIds();

  @Override
  void close();
}
