package org.chunkllama.prefix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.chunkllama.error.PoolExhaustedException;
import org.junit.jupiter.api.Test;

/** Pins keep whole computed chunks from eviction, until closed or expired. */
class PinTest extends TreeFixture {
  @Test
  void holdsWholeComputedChunksOnly() {
    tree = tree(4);
    cache("abcdefghij");
    Pin pin = pin("abcdefghij", 0);
    assertThat(pin.tokens()).isEqualTo(8);
    assertThat(tree.available()).isEqualTo(2);
    assertThat(tree.chunksRetained()).isEqualTo(3);
    insert("xxxxyyyy");
    assertThat(ready("abcdefghij")).isEqualTo(8);
    assertThatThrownBy(() -> insert("zzzz")).isInstanceOf(PoolExhaustedException.class);
    pin.close();
    insert("zzzz");
    assertThat(ready("abcdefghij")).isEqualTo(4);
  }

  @Test
  void aPrefixThatEndsAtAChunkIsPinnedWhole() {
    cache("abcdefgh");
    assertThat(pin("abcdefgh", 0).tokens()).isEqualTo(8);
  }

  @Test
  void whatIsInFlightIsNotPinned() {
    Sequence s = insert("abcdefgh");
    tree.computed(s, 5);
    Pin pin = pin("abcdefgh", 0);
    assertThat(pin.tokens()).isEqualTo(4);
    tree.remove(s);
    assertThat(tree.chunksRetained()).isEqualTo(2);
    assertThat(tree.available()).isEqualTo(31);
  }

  @Test
  void pinsAreCounted() {
    cache("abcdefgh");
    Pin all = pin("abcdefgh", 0);
    Pin half = pin("abcd", 0);
    Pin again = pin("abcdefgh", 0);
    all.close();
    all.close();
    assertThat(tree.available()).isEqualTo(30);
    again.close();
    assertThat(tree.available()).isEqualTo(31);
    half.close();
    assertThat(tree.available()).isEqualTo(32);
  }

  @Test
  void expiresAndIsDroppedWhenRoomIsAskedFor() {
    tree = tree(2);
    cache("abcdefgh");
    Pin pin = pin("abcdefgh", 10);
    now += 9; // beyond Long.MAX_VALUE: a nanoTime may
    assertThat(tree.available()).isZero();
    now += 1;
    insert("xxxxyyyy");
    assertThat(tree.chunksRetained()).isZero();
    pin.close();
  }

  @Test
  void appendDropsExpiredPinsWhenItNeedsRoom() {
    tree = tree(2);
    cache("abcd");
    pin("abcd", 10);
    Sequence s = compute("wxyz");
    now += 10;
    append(s, "!");
    assertThat(s.chunkCount()).isEqualTo(2);
  }

  @Test
  void pinsExpireOneByOne() {
    cache("abcdefgh");
    pin("abcdefgh", 30);
    pin("abcd", 50);
    pin("abcdefgh", 10).close();
    now += 30;
    assertThat(tree.available()).isEqualTo(31);
    now += 20;
    assertThat(tree.available()).isEqualTo(32);
  }

  @Test
  void aVeryLongTimeToLiveIsForEver() {
    cache("abcd");
    pin("abcd", Long.MAX_VALUE);
    for (int i = 0; i < 3; i++) {
      now += Long.MAX_VALUE / 2;
      assertThat(tree.available()).isEqualTo(31);
    }
  }

  @Test
  void expiryOnBothSidesOfAnOverflowingClockKeepsItsOrder() {
    cache("abcdefgh");
    pin("abcd", 10);
    pin("abcdefgh", 3);
    now += 3;
    assertThat(tree.available()).isEqualTo(31);
    now += 7;
    assertThat(tree.available()).isEqualTo(32);
  }

  @Test
  void closingCountsAsUse() {
    tree = tree(2);
    cache("abcd");
    Pin pin = pin("abcd", 0);
    cache("wxyz");
    pin.close();
    insert("1234");
    assertThat(ready("abcd?")).isEqualTo(4);
    assertThat(ready("wxyz?")).isZero();
  }
}
