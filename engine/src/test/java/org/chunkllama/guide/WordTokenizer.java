package org.chunkllama.guide;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.chunkllama.text.Tokenizer;

/** A fake for tests: ids 0 to 255 are bytes, then some words, last an end-of-sequence token. */
final class WordTokenizer implements Tokenizer {
  private static final List<String> WORDS =
      List.of(
          "{\"", "\": \"", "\":", "\", \"", "\"}", "\"]", "}}", "]}", "},{", ": ", ", ", "true",
          "false", "null", "the", " the", "name", " 1", "10", "25", "-", "é", "日本", "\n  ", "\\n",
          "\\\"", "[{\"", "ab", "<call>", "</call>", "Hello", " world", "3.", "\"id\"", "e1");

  private final List<byte[]> tokens = new ArrayList<>();
  private final boolean spaces;

  WordTokenizer(boolean spaces) {
    this.spaces = spaces;
    for (int b = 0; b < 256; b++) {
      tokens.add(new byte[] {(byte) b});
    }
    WORDS.forEach(word -> tokens.add(word.getBytes(StandardCharsets.UTF_8)));
    byte[] emoji = "😀".getBytes(StandardCharsets.UTF_8);
    tokens.add(Arrays.copyOf(emoji, 2)); // half a character
    tokens.add(new byte[0]); // end of sequence
  }

  int eos() {
    return tokens.size() - 1;
  }

  @Override
  public int[] encode(String text, boolean addSpecial, boolean parseSpecial) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int[] ids = new int[bytes.length];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = bytes[i] & 0xFF;
    }
    return ids;
  }

  @Override
  public String decode(int[] ids) {
    throw new UnsupportedOperationException("not for this test");
  }

  @Override
  public byte[] bytes(int id) {
    return tokens.get(id);
  }

  @Override
  public int vocabularySize() {
    return tokens.size();
  }

  @Override
  public String token(int id) {
    return new String(tokens.get(id), StandardCharsets.ISO_8859_1);
  }

  @Override
  public int id(String token) {
    return -1;
  }

  @Override
  public boolean isSpecial(int id) {
    return id == eos();
  }

  @Override
  public boolean addsSpacePrefix() {
    return spaces;
  }

  @Override
  public int bosId() {
    return -1;
  }

  @Override
  public List<Integer> eosIds() {
    return List.of(eos());
  }

  @Override
  public void close() {}
}
