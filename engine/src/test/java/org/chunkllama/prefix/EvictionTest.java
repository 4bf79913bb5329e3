package org.chunkllama.prefix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.chunkllama.error.PoolExhaustedException;
import org.junit.jupiter.api.Test;

/** Retained chunks go when room is needed: least recently used first, leaves first. */
class EvictionTest extends TreeFixture {
  @Test
  void removedSequencesStayUsable() {
    cache("abcdefghij");
    assertThat(tree.chunksRetained()).isEqualTo(3);
    assertThat(tree.available()).isEqualTo(32);
    assertThat(ready("abcdefghijk")).isEqualTo(10);
    assertThat(insert("abcdefgh!").reused()).isEqualTo(8);
    assertThat(tree.chunksRetained()).isEqualTo(1);
  }

  @Test
  void theLeastRecentlyUsedLeafGoesFirst() {
    tree = tree(6);
    cache("aaaa1111");
    cache("bbbb1111");
    cache("cccc1111");
    tree.remove(compute("aaaaX")); // uses aaaa again, and takes the chunk of bbbb1111
    assertThat(tree.stats().chunksEvicted()).isEqualTo(1);
    assertThat(ready("aaaa1111?")).isEqualTo(4);
    compute("dddd");
    assertThat(ready("bbbb1111?")).isEqualTo(4);
    assertThat(ready("cccc1111?")).isEqualTo(8);
  }

  @Test
  void aParentOutlivesItsChildren() {
    tree = tree(4);
    cache("abcdefghijklmnop");
    for (int left = 12; left >= 0; left -= 4) {
      insert("" + (char) left + "XYZ");
      assertThat(ready("abcdefghijklmnop?")).isEqualTo(left);
      tree.check();
    }
  }

  @Test
  void insertDoesNotEvictWhatItMatched() {
    tree = tree(4);
    cache("abcdefgh");
    cache("xxxxyyyy");
    Sequence s = insert("abcdefgh12345678");
    assertThat(s.reused()).isEqualTo(8);
    assertThat(tree.chunksLive()).isEqualTo(4);
    assertThat(ready("xxxxyyyy?")).isZero();
  }

  @Test
  void insertDoesNotEvictWhatItCopiesFrom() {
    tree = tree(4);
    cache("abcdefgh"); // the oldest
    cache("xxxxyyyy");
    Sequence s = insert("abcdefX");
    assertThat(s.reused()).isEqualTo(6);
    assertThat(copies).hasSize(1);
    assertThat(ready("abcdefgh?")).isEqualTo(8);
    assertThat(ready("xxxxyyyy?")).isEqualTo(4);
  }

  @Test
  void theLastChunkLeftIsWrittenOverRatherThanCopiedFrom() {
    tree = tree(2);
    cache("abcdefgh");
    Sequence s = insert("abcdefX");
    assertThat(s.reused()).isEqualTo(4);
    assertThat(copies).isEmpty();
    assertThat(tree.chunksFree()).isZero();
  }

  @Test
  void aPartlyFilledChunkIsContinuedInPlace() {
    cache("abcdef");
    Sequence s = insert("abcdefgh?");
    assertThat(s.reused()).isEqualTo(6);
    assertThat(copies).isEmpty();
    assertThat(tree.chunksRetained()).isZero();
    assertThat(tree.chunksLive()).isEqualTo(3);
  }

  @Test
  void theSameTextIsNotRetainedTwice() {
    Sequence a = compute("abcdef");
    Sequence b = compute("abcdef");
    assertThat(tree.chunksLive()).isEqualTo(3);
    tree.remove(a);
    assertThat(tree.chunksRetained()).isZero(); // b has it
    tree.remove(b);
    assertThat(tree.chunksRetained()).isEqualTo(2);
  }

  @Test
  void equalOutputsAreRetainedOnce() {
    Sequence a = compute("abcd");
    Sequence b = tree.fork(a);
    for (Sequence s : new Sequence[] {a, b}) {
      append(s, "0123456789");
      tree.computed(s, s.length());
    }
    tree.remove(a);
    tree.remove(b);
    assertThat(tree.chunksRetained()).isEqualTo(4);
    assertThat(ready("abcd0123456789?")).isEqualTo(14);
  }

  @Test
  void exhaustionSaysTheNumbersAndChangesNothing() {
    tree = tree(4);
    Sequence a = compute("abcdefgh");
    cache("xxxx");
    pin("xxxx", 0);
    long version = tree.version();
    assertThat(tree.canInsert(text("abcdefgh12345"), 13, "", 0)).isFalse();
    assertThatThrownBy(() -> insert("abcdefgh12345"))
        .isInstanceOf(PoolExhaustedException.class)
        .hasMessageContaining("2 more chunks of 4 tokens are needed")
        .hasMessageContaining("1 are free and 0 can be evicted")
        .hasMessageContaining("of 4 chunks 2 are live, 1 pinned")
        .hasMessageContaining("use a larger KV cache");
    tree.check();
    assertThat(tree.version()).isEqualTo(version);
    assertThat(order()).containsExactly(a);
    append(a, "1234");
    assertThatThrownBy(() -> tree.append(a, '5')).isInstanceOf(PoolExhaustedException.class);
    assertThat(string(a)).isEqualTo("abcdefgh1234");
  }

  @Test
  void firstWriteAfterAForkMayFindNoRoom() {
    tree = tree(2);
    Sequence a = compute("abcdef");
    Sequence b = tree.fork(a);
    assertThatThrownBy(() -> append(b, "X")).isInstanceOf(PoolExhaustedException.class);
    assertThat(string(b)).isEqualTo("abcdef");
    tree.remove(a);
    append(b, "X");
    assertThat(string(b)).isEqualTo("abcdefX");
  }

  /** Free chunks first, then those that are evicted, a leaf before its parent. */
  @Test
  void upcomingChunksAreThoseThatAppendsTake() {
    tree = tree(9);
    cache("abcdefgh");
    cache("abcdXYZW");
    Sequence a = compute("1234");
    Sequence b = compute("5678");
    int[] upcoming = new int[8];
    assertThat(tree.upcomingChunks(upcoming, 8)).as("two are live").isFalse();
    assertThat(tree.upcomingChunks(upcoming, 7)).isTrue();
    assertThat(tree.chunksFree()).as("nothing was taken").isEqualTo(4);
    for (int i = 0; i < 7; i++) {
      Sequence s = i % 2 == 0 ? a : b;
      append(s, "x");
      assertThat(s.chunkIds()[s.chunkCount() - 1]).as("append %d", i).isEqualTo(upcoming[i]);
      append(s, "yz" + i);
    }
    assertThat(tree.stats().chunksEvicted()).isEqualTo(3);
  }

  @Test
  void canInsertCountsSpareChunks() {
    tree = tree(4);
    cache("abcd");
    assertThat(tree.canInsert(text("abcd1234"), 8, "", 2)).isTrue();
    assertThat(tree.canInsert(text("abcd1234"), 8, "", 3)).isFalse();
    assertThat(tree.canInsert(text("abcd1234"), 8, "", Integer.MAX_VALUE)).isFalse();
  }

  @Test
  void aTenantWhoseLastChunkIsEvictedForHimselfIsWellAgain() {
    tree = tree(1);
    tree.remove(computeFor("A", "abcd"));
    Sequence s = computeFor("A", "xyz");
    assertThat(order()).containsExactly(s);
    assertThat(tree.stats().chunksEvicted()).isEqualTo(1);
  }

  private Sequence computeFor(String salt, String prompt) {
    Sequence s = tree.insert(text(prompt), prompt.length(), salt);
    tree.computed(s, s.length());
    return s;
  }
}
