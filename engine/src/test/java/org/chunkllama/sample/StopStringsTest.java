package org.chunkllama.sample;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StopStringsTest {
  @Test
  void holdsBackWhatMayBeAStop() {
    StopStrings stops = new StopStrings(List.of("END", "\n\n"));
    assertThat(stops.accept("one E", true)).isEqualTo("one ");
    assertThat(stops.accept("N", true)).isEmpty();
    assertThat(stops.accept("o\n", true)).isEqualTo("ENo");
    assertThat(stops.accept("x", true)).isEqualTo("\nx");
    assertThat(stops.accept("EN", true)).isEmpty();
    assertThat(stops.accept("D tail", true)).isEmpty();
    assertThat(stops.stoppedBy()).isEqualTo("END");
  }

  @Test
  void flushGivesWhatWasHeld() {
    StopStrings stops = new StopStrings(List.of("STOP"));
    assertThat(stops.accept("a ST", true)).isEqualTo("a ");
    assertThat(stops.flush()).isEqualTo("ST");
    assertThat(stops.stoppedBy()).isEmpty();
  }

  @Test
  void firstStopInTheTextWins() {
    StopStrings stops = new StopStrings(List.of("later", "so"));
    assertThat(stops.accept("not so much later", true)).isEqualTo("not ");
    assertThat(stops.stoppedBy()).isEqualTo("so");
  }

  @Test
  void withoutSearchTextPasses() {
    StopStrings stops = new StopStrings(List.of("x"));
    assertThat(stops.accept("axb", false)).isEqualTo("axb");
    assertThat(stops.stoppedBy()).isEmpty();
  }

  /** Any cutting of the text into pieces gives the same as the whole text at once. */
  @Test
  void piecesDoNotMatter() {
    Random random = new Random(11);
    for (int round = 0; round < 3000; round++) {
      String text = letters(random, 40);
      List<String> list = List.of(letters(random, 4) + "a", letters(random, 3) + "b");
      int cut = text.length();
      for (String stop : list) {
        int at = text.indexOf(stop);
        cut = at >= 0 ? Math.min(cut, at) : cut;
      }
      StopStrings stops = new StopStrings(list);
      StringBuilder shown = new StringBuilder();
      int at = 0;
      while (at < text.length() && stops.stoppedBy().isEmpty()) {
        int to = Math.min(text.length(), at + 1 + random.nextInt(3));
        shown.append(stops.accept(text.substring(at, to), true));
        at = to;
      }
      if (stops.stoppedBy().isEmpty()) {
        shown.append(stops.flush());
      }
      // Streaming stops at the first stop that is complete, which may begin after one that is not.
      String expected = stops.stoppedBy().isEmpty() ? text : shown.toString();
      assertThat(text).startsWith(shown.toString());
      if (!stops.stoppedBy().isEmpty()) {
        assertThat(text.substring(shown.length())).startsWith(stops.stoppedBy());
        assertThat(shown.length()).isGreaterThanOrEqualTo(cut);
      } else {
        assertThat(cut).isEqualTo(text.length());
      }
      assertThat(shown.toString()).isEqualTo(expected);
    }
  }

  private static String letters(Random random, int max) {
    StringBuilder text = new StringBuilder();
    int n = random.nextInt(max);
    for (int i = 0; i < n; i++) {
      text.append((char) ('a' + random.nextInt(3)));
    }
    return text.toString();
  }
}
