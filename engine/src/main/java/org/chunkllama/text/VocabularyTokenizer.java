package org.chunkllama.text;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** A tokenizer of its two halves: an encoder, and a vocabulary to decode by. */
final class VocabularyTokenizer implements Tokenizer {
  private final Encoder encoder;
  private final Vocabulary vocabulary;
  private final boolean addsSpacePrefix;
  private final int bosId;
  private final List<Integer> eosIds;

  VocabularyTokenizer(
      Encoder encoder,
      Vocabulary vocabulary,
      boolean addsSpacePrefix,
      int bosId,
      List<Integer> eosIds) {
    this.encoder = new LongTextEncoder(encoder);
    this.vocabulary = vocabulary;
    this.addsSpacePrefix = addsSpacePrefix;
    this.bosId = bosId;
    this.eosIds = List.copyOf(eosIds);
  }

  @Override
  public int[] encode(String text, boolean addSpecial, boolean parseSpecial) {
    return encoder.encode(wellFormed(text), addSpecial, parseSpecial);
  }

  @Override
  public String decode(int[] ids) {
    var out = new ByteArrayOutputStream(ids.length * 4);
    for (int id : ids) {
      out.writeBytes(vocabulary.bytes(id));
    }
    byte[] bytes = out.toByteArray();
    int from = addsSpacePrefix && bytes.length > 0 && bytes[0] == ' ' ? 1 : 0;
    return utf8(ByteBuffer.wrap(bytes, from, bytes.length - from));
  }

  @Override
  public byte[] bytes(int id) {
    return vocabulary.bytes(id).clone();
  }

  @Override
  public int vocabularySize() {
    return vocabulary.size();
  }

  @Override
  public String token(int id) {
    return vocabulary.token(id);
  }

  @Override
  public int id(String token) {
    return vocabulary.id(token);
  }

  @Override
  public boolean isSpecial(int id) {
    return vocabulary.isSpecial(id);
  }

  @Override
  public boolean addsSpacePrefix() {
    return addsSpacePrefix;
  }

  @Override
  public int bosId() {
    return bosId;
  }

  @Override
  public List<Integer> eosIds() {
    return eosIds;
  }

  @Override
  public void close() {
    encoder.close();
  }

  /** Same replacement of invalid bytes as {@link IncrementalDetokenizer}: one decoder for both. */
  private static String utf8(ByteBuffer bytes) {
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPLACE)
          .decode(bytes)
          .toString();
    } catch (CharacterCodingException e) {
      throw new IllegalStateException("a replacing decoder does not report", e);
    }
  }

  /** {@code text} with unpaired surrogates, which no UTF-8 has, as U+FFFD. */
  private static String wellFormed(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (Character.isSurrogate(text.charAt(i))) {
        CharBuffer out = CharBuffer.allocate(text.length());
        text.codePoints()
            .map(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE ? 0xFFFD : c)
            .forEach(c -> out.put(Character.toChars(c)));
        return out.flip().toString();
      }
    }
    return text;
  }
}
