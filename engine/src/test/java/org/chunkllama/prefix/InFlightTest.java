package org.chunkllama.prefix;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/**
 * Tokens that a live sequence has yet to compute are worth waiting for, and usable once computed.
 */
class InFlightTest extends TreeFixture {
  @Test
  void tellsWhatIsUnderWay() {
    Sequence a = insert("abcdefghij");
    assertThat(match("abcdefghij")).isEqualTo(new Match(0, 9));
    assertThat(match("abcdefXX")).isEqualTo(new Match(0, 6));
    tree.computed(a, 5);
    assertThat(match("abcdefghij")).isEqualTo(new Match(5, 4));
    tree.computed(a, 10);
    assertThat(match("abcdefghij")).isEqualTo(new Match(9, 0));
  }

  @Test
  void aRequestThatWaitedComputesOneToken() {
    Sequence a = insert("abcdefghij");
    tree.computed(a, 10);
    Sequence b = insert("abcdefghij");
    assertThat(b.length() - b.computed()).isEqualTo(1);
  }

  @Test
  void whenTheOneThatComputesLeavesOthersFindLess() {
    Sequence a = insert("abcdefghij");
    tree.computed(a, 6);
    tree.remove(a);
    assertThat(match("abcdefghij")).isEqualTo(new Match(6, 0));
    assertThat(tree.chunksRetained()).isEqualTo(2);
    assertThat(tree.chunksFree()).isEqualTo(30);
  }

  @Test
  void followsASequenceThatComputesAgainWhatIsReady() {
    Sequence ahead = insert("abcdefghijkl");
    Sequence behind = insert("abcdefghijklmnop");
    tree.computed(ahead, 12);
    assertThat(behind.computed()).isZero();
    assertThat(match("abcdefghijklmnopq")).isEqualTo(new Match(12, 4));
  }

  @Test
  void followsAllThatComputeTheSame() {
    insert("abcdefgh11");
    insert("abcdefgh22");
    insert("abcdefgh333");
    assertThat(match("abcdefgh22X")).isEqualTo(new Match(0, 10));
    assertThat(match("abcdefgh333X")).isEqualTo(new Match(0, 11));
  }

  @Test
  void aDecodingSequenceHasOneTokenInFlight() {
    Sequence a = compute("abcde");
    append(a, "f");
    assertThat(match("abcdefg")).isEqualTo(new Match(5, 1));
  }
}
