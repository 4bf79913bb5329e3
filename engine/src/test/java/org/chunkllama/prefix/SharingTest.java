package org.chunkllama.prefix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.chunkllama.prefix.NaiveTree.Copy;
import org.junit.jupiter.api.Test;

/** Whole chunks are shared, the rest of a match is copied, and only what is computed. */
class SharingTest extends TreeFixture {
  @Test
  void emptyTreeMatchesNothing() {
    assertThat(match("abcdefgh")).isEqualTo(new Match(0, 0));
    assertThat(tree.firstInOrder()).isNull();
    assertThat(tree.chunksFree()).isEqualTo(32);
  }

  @Test
  void takesAllChunksOfThePromptAtOnce() {
    Sequence s = insert("abcdefghi");
    assertThat(s.chunkCount()).isEqualTo(3);
    assertThat(s.computed()).isZero();
    assertThat(s.reused()).isZero();
    assertThat(string(s)).isEqualTo("abcdefghi");
    assertThat(s.token(4)).isEqualTo('e');
    assertThat(tree.chunksLive()).isEqualTo(3);
    assertThat(tree.chunksFree()).isEqualTo(29);
  }

  @Test
  void sharesWholeChunksWithALiveSequence() {
    Sequence a = compute("abcdefgh12");
    Sequence b = insert("abcdefgh34");
    assertThat(b.reused()).isEqualTo(8);
    assertThat(b.computed()).isEqualTo(8);
    assertThat(chunks(b).subList(0, 2)).isEqualTo(chunks(a).subList(0, 2));
    assertThat(chunks(b).get(2)).isNotEqualTo(chunks(a).get(2));
    assertThat(copies).isEmpty();
    assertThat(tree.chunksLive()).isEqualTo(4);
    assertThat(tree.chunksLiveUnshared()).isEqualTo(6);
  }

  @Test
  void copiesTheRestOfAMatchThatEndsInsideAChunk() {
    Sequence a = compute("abcdefgh");
    Sequence b = insert("abcdefXY");
    assertThat(b.reused()).isEqualTo(6);
    assertThat(copies).containsExactly(new Copy(a.chunkIds()[1], b.chunkIds()[1], 2));
    assertThat(tree.stats().tokensCopied()).isEqualTo(2);
  }

  @Test
  void copiesFromTheChildWithTheLongestCommonPrefix() {
    compute("abcdeXXX");
    Sequence best = compute("abcdefgX");
    compute("abcdefXX");
    Sequence s = insert("abcdefghijk");
    assertThat(s.reused()).isEqualTo(7);
    assertThat(copies.getLast()).isEqualTo(new Copy(best.chunkIds()[1], s.chunkIds()[1], 3));
  }

  @Test
  void copiesOnlyWhatIsComputed() {
    Sequence a = insert("abcdefgh");
    tree.computed(a, 6);
    assertThat(match("abcdefghij")).isEqualTo(new Match(6, 2));
    assertThat(insert("abcdefghij").reused()).isEqualTo(6);
    assertThat(copies.getLast().slots()).isEqualTo(2);
  }

  @Test
  void leavesTheLastPromptTokenToCompute() {
    compute("abcdefgh");
    assertThat(match("abcdefgh")).isEqualTo(new Match(7, 0));
    Sequence b = insert("abcdefgh");
    assertThat(b.computed()).isEqualTo(7);
    assertThat(copies.getLast().slots()).isEqualTo(3);
    assertThat(match("a")).isEqualTo(new Match(0, 0));
  }

  @Test
  void outputIsSharedToo() {
    Sequence a = compute("abc");
    append(a, "defghi");
    tree.computed(a, 9);
    assertThat(ready("abcdefghij")).isEqualTo(9);
    assertThat(insert("abcdefghXX").reused()).isEqualTo(8);
  }

  @Test
  void tenantsShareNothing() {
    compute("abcdefgh");
    assertThat(tree.match(text("abcdefgh"), 8, "other")).isEqualTo(new Match(0, 0));
    Sequence other = tree.insert(text("abcdefgh"), 8, "other");
    assertThat(other.reused()).isZero();
    assertThat(other.salt()).isEqualTo("other");
    assertThat(tree.chunksLive()).isEqualTo(4);
    assertThat(tree.pin(text("abcdefgh"), 8, "third", 0).tokens()).isZero();
  }

  @Test
  void aChunkThatBecomesTheEqualOfASiblingIsMerged() {
    Sequence a = compute("abcd1");
    Sequence b = compute("abcd2");
    Sequence c = compute("abcd3");
    append(a, "234");
    append(c, "XXX");
    append(b, "XX");
    tree.computed(a, a.length());
    tree.computed(c, c.length());
    tree.computed(b, b.length());
    assertThat(tree.stats().chunksMerged()).isZero();

    Sequence d = insert("abcd1234"); // its last chunk is private until its last token is computed
    assertThat(tree.chunksLive()).isEqualTo(5);
    assertThat(order()).containsExactly(a, b, c, d);
    long version = tree.version();
    tree.computed(d, 8);
    assertThat(chunks(d)).isEqualTo(chunks(a));
    assertThat(tree.chunksLive()).isEqualTo(4);
    assertThat(order()).containsExactly(a, d, b, c);
    assertThat(tree.stats().chunksMerged()).isEqualTo(1);
    assertThat(tree.version()).isNotEqualTo(version);
    append(d, "5");
    assertThat(string(a)).isEqualTo("abcd1234");
    assertThat(string(d)).isEqualTo("abcd12345");
  }

  @Test
  void sequencesThatComputeTheSameSideBySideMergeChunkByChunk() {
    Sequence a = insert("abcdefghij");
    Sequence b = insert("abcdefghij");
    Sequence c = tree.fork(b);
    assertThat(tree.chunksLive()).isEqualTo(6);
    tree.computed(a, 10);
    tree.computed(b, 5);
    assertThat(chunks(b).getFirst()).isEqualTo(a.chunkIds()[0]);
    assertThat(chunks(c)).isEqualTo(chunks(b));
    tree.check();
    tree.computed(b, 10);
    assertThat(chunks(b).subList(0, 2)).isEqualTo(chunks(a).subList(0, 2));
    assertThat(tree.chunksLive()).isEqualTo(4);
    assertThat(c.computed()).isZero();
  }

  @Test
  void aRetainedChunkComesBackToLifeWhenItIsComputedAgain() {
    Sequence slow = insert("abcdef");
    cache("abcdef");
    assertThat(tree.chunksRetained()).isEqualTo(2);
    tree.computed(slow, 4);
    assertThat(tree.stats().chunksMerged()).isEqualTo(1);
    assertThat(tree.chunksRetained()).isEqualTo(1);
    assertThat(tree.chunksLive()).isEqualTo(2);
  }

  @Test
  void versionChangesWithChunksAndOrderOnly() {
    Sequence a = compute("abcde");
    long version = tree.version();
    append(a, "fgh");
    tree.computed(a, 8);
    match("abcdefgh");
    assertThat(tree.version()).isEqualTo(version);
    append(a, "i");
    assertThat(tree.version()).isNotEqualTo(version);
    version = tree.version();
    tree.remove(a);
    assertThat(tree.version()).isNotEqualTo(version);
  }

  @Test
  void refusesNonsense() {
    Sequence s = compute("abc");
    assertThatThrownBy(() -> tree.insert(new int[2], 3, "")).hasMessageContaining("1 to 2 tokens");
    assertThatThrownBy(() -> tree.match(new int[2], 0, "")).hasMessageContaining("not 0");
    assertThatThrownBy(() -> tree.computed(s, 4)).hasMessageContaining("4 tokens computed");
    assertThatThrownBy(() -> tree.computed(s, 2)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> s.token(3)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> pin("abc", -1)).hasMessageContaining("time to live");
    assertThatThrownBy(() -> tree(4).append(s, 1)).hasMessageContaining("another tree");
    tree.remove(s);
    assertThat(s.isRemoved()).isTrue();
    assertThatThrownBy(() -> tree.append(s, 1)).hasMessageContaining("was removed");
    assertThatThrownBy(() -> s.token(0)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> new PrefixTree(4, 0, (a, b, n) -> {}, () -> 0, true))
        .hasMessageContaining("chunk size");
    assertThatThrownBy(() -> new PrefixTree(1 << 24, 128, (a, b, n) -> {}, () -> 0, true))
        .hasMessageContaining("smaller KV cache");
  }
}
