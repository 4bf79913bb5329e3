package org.chunkllama.schedule;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.chunkllama.text.Tokenizer;

/** A fake for tests: id i is the letter {@code 'A' + i % 26}, from id 26 on with a digit. */
class LetterTokenizer implements Tokenizer {
  private final int size;
  private final List<Integer> eosIds;

  LetterTokenizer(int size, List<Integer> eosIds) {
    this.size = size;
    this.eosIds = eosIds;
  }

  @Override
  public int[] encode(String text, boolean addSpecial, boolean parseSpecial) {
    return text.chars().map(c -> c - 'A').toArray();
  }

  @Override
  public String decode(int[] ids) {
    StringBuilder text = new StringBuilder();
    for (int id : ids) {
      text.append(token(id));
    }
    return text.toString();
  }

  @Override
  public byte[] bytes(int id) {
    return token(id).getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public int vocabularySize() {
    return size;
  }

  @Override
  public String token(int id) {
    return (char) ('A' + id % 26) + (id < 26 ? "" : String.valueOf(id / 26));
  }

  @Override
  public int id(String token) {
    return token.charAt(0) - 'A';
  }

  @Override
  public boolean isSpecial(int id) {
    return eosIds.contains(id);
  }

  @Override
  public boolean addsSpacePrefix() {
    return false;
  }

  @Override
  public int bosId() {
    return -1;
  }

  @Override
  public List<Integer> eosIds() {
    return eosIds;
  }

  @Override
  public void close() {}
}
