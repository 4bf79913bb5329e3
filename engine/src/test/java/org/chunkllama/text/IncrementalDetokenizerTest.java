package org.chunkllama.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class IncrementalDetokenizerTest {
  /** 256 bytes, some words and characters, one control token. */
  private static Tokenizer tokenizer(boolean spacePrefix) {
    List<String> words =
        List.of(" ", " a", "é", "wörld", "😀", " \n", "日本", "x".repeat(100), "\uFFFD");
    var vocabulary = new Vocabulary.Builder(256 + words.size() + 1);
    for (int b = 0; b < 256; b++) {
      vocabulary.put(b, "<0x%02X>".formatted(b), new byte[] {(byte) b});
    }
    for (int i = 0; i < words.size(); i++) {
      vocabulary.put(256 + i, words.get(i), words.get(i).getBytes(StandardCharsets.UTF_8));
    }
    vocabulary.putSpecial(256 + words.size(), "<|end|>");
    return new VocabularyTokenizer(new NoEncoder(), vocabulary.build(), spacePrefix, -1, List.of());
  }

  @Test
  void emitsACharacterWithItsLastByte() {
    var detokenizer = new IncrementalDetokenizer(tokenizer(false));
    byte[] bytes = "é😀".getBytes(StandardCharsets.UTF_8);
    String[] expected = {"", "é", "", "", "", "😀"};
    for (int i = 0; i < bytes.length; i++) {
      assertThat(detokenizer.append(bytes[i] & 0xFF)).isEqualTo(expected[i]);
    }
    assertThat(detokenizer.finish()).isEmpty();
  }

  @Test
  void aBrokenCharacterIsGivenOutAsSoonAsItIsKnown() {
    var detokenizer = new IncrementalDetokenizer(tokenizer(false));
    assertThat(detokenizer.append(0xC3)).isEmpty();
    assertThat(detokenizer.append('A')).isEqualTo("\uFFFDA");
    assertThat(detokenizer.append(0xFF)).isEqualTo("\uFFFD");
    assertThat(detokenizer.append(0xF0)).isEmpty();
    assertThat(detokenizer.finish()).isEqualTo("\uFFFD");
    assertThat(detokenizer.finish()).isEmpty();
    assertThatThrownBy(() -> detokenizer.append('A')).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void tellsWhereTokensBegin() {
    var detokenizer = new IncrementalDetokenizer(tokenizer(false));
    int[][] idsAndBegins = {
      {0xC3, 0},
      {0xA9, 0}, // é
      {0xF0, 1},
      {0x9F, 1},
      {0x98, 1},
      {0x80, 1}, // one character, in Java two
      {'A', 2},
      {260, 3},
      {257, 4}, // a whole character, and two
      {0xC3, 6},
      {'A', 7}, // broken off by what begins after it
      {0xE6, 8},
      {0xC3, 9},
      {0xA9, 9},
      {0xFF, 10},
      {0xF0, 11},
      {0xFF, 12},
      {'B', 13}
    };
    for (int[] idAndBegin : idsAndBegins) {
      detokenizer.append(idAndBegin[0]);
      assertThat(detokenizer.begin()).as("of %x", idAndBegin[0]).isEqualTo(idAndBegin[1]);
    }
  }

  @Test
  void takesTheSpacePrefixAwayOnlyAtTheStartOfAText() {
    Tokenizer tokenizer = tokenizer(true);
    int end = tokenizer.id("<|end|>");
    var start = new IncrementalDetokenizer(tokenizer);
    assertThat(start.append(end) + start.append(257) + start.append(257)).isEqualTo("a a");
    var onlySpace = new IncrementalDetokenizer(tokenizer);
    assertThat(onlySpace.append(256) + onlySpace.append(257)).isEqualTo(" a");
    var continuing = IncrementalDetokenizer.continuing(tokenizer);
    assertThat(continuing.append(257)).isEqualTo(" a");
  }

  @Test
  void equalsDecodeOnRandomIdsAndHoldsBackLessThanACharacter() {
    var random = new Random(1);
    for (int round = 0; round < 4000; round++) {
      Tokenizer tokenizer = tokenizer(random.nextBoolean());
      int[] ids = new int[random.nextInt(40)];
      var pieces = new StringBuilder();
      var detokenizer = new IncrementalDetokenizer(tokenizer);
      for (int i = 0; i < ids.length; i++) {
        ids[i] = randomId(random, tokenizer.vocabularySize());
        pieces.append(detokenizer.append(ids[i]));
        assertThat(heldBack(tokenizer, ids, i + 1, pieces.toString())).isBetween(0, 1);
      }
      pieces.append(detokenizer.finish());
      assertThat(pieces.toString()).isEqualTo(tokenizer.decode(ids));
      assertThat(wellFormed(pieces.toString())).isTrue();
    }
  }

  /** Mostly bytes that lead or continue a character, where the difficulty lies. */
  private static int randomId(Random random, int vocabularySize) {
    return switch (random.nextInt(4)) {
      case 0 -> 0xC0 + random.nextInt(64);
      case 1 -> 0x80 + random.nextInt(64);
      default -> random.nextInt(vocabularySize + 3);
    };
  }

  /** Characters that the first {@code count} ids have more than {@code given}. */
  private static int heldBack(Tokenizer tokenizer, int[] ids, int count, String given) {
    String all = tokenizer.decode(Arrays.copyOf(ids, count));
    assertThat(all).startsWith(given);
    // What waits is the beginning of one character, which decode shows as one U+FFFD.
    return all.length() - given.length();
  }

  private static boolean wellFormed(String text) {
    return text.codePoints().noneMatch(c -> c >= 0xD800 && c < 0xE000);
  }
}
