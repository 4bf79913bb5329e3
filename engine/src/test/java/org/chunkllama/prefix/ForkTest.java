package org.chunkllama.prefix;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.chunkllama.prefix.NaiveTree.Copy;
import org.junit.jupiter.api.Test;

/** Forks share everything; the partly filled last chunk is copied at the first write. */
class ForkTest extends TreeFixture {
  @Test
  void sharesAllChunksUntilTheFirstWrite() {
    Sequence a = compute("abcdef");
    Sequence b = tree.fork(a);
    assertThat(order()).containsExactly(a, b);
    assertThat(chunks(b)).isEqualTo(chunks(a));
    assertThat(b.computed()).isEqualTo(6);
    assertThat(tree.chunksLive()).isEqualTo(2);
    int shared = a.chunkIds()[1];
    append(b, "X");
    assertThat(copies).containsExactly(new Copy(shared, b.chunkIds()[1], 2));
    append(a, "Y"); // alone again: writes in place
    assertThat(copies).hasSize(1);
    assertThat(a.chunkIds()[1]).isEqualTo(shared);
    assertThat(string(a)).isEqualTo("abcdefY");
    assertThat(string(b)).isEqualTo("abcdefX");
    assertThat(b.computed()).isEqualTo(6);
  }

  @Test
  void writesInPlaceWhenTheOthersLeft() {
    Sequence a = compute("abcdef");
    Sequence b = tree.fork(a);
    tree.remove(a);
    append(b, "X");
    assertThat(copies).isEmpty();
    assertThat(tree.chunksLive()).isEqualTo(2);
    assertThat(tree.chunksRetained()).isZero();
  }

  @Test
  void copiesNothingWhenTheLastChunkIsFull() {
    Sequence a = compute("abcd");
    Sequence b = tree.fork(a);
    append(a, "X");
    append(b, "X");
    assertThat(copies).isEmpty();
    assertThat(tree.chunksLive()).isEqualTo(3);
  }

  @Test
  void appendingInOrderKeepsTheOrder() {
    Sequence a = compute("abcdef");
    List<Sequence> forks = new ArrayList<>(List.of(a));
    for (int i = 0; i < 5; i++) {
      forks.add(tree.fork(forks.getLast()));
    }
    for (Sequence s : forks) {
      append(s, "" + s.id());
    }
    assertThat(order()).isEqualTo(forks);
    assertThat(tree.stats().chunkCopies()).isEqualTo(5);
  }

  @Test
  void oneWhoWritesFirstFromTheMiddleMovesBehindTheOthers() {
    Sequence a = compute("abcdef");
    Sequence c = tree.fork(a);
    Sequence b = tree.fork(a);
    Sequence other = compute("xxxx");
    append(b, "B");
    assertThat(order()).containsExactly(a, c, b, other);
    Sequence d = tree.insert(text("abcdZZ"), 6, "");
    assertThat(order()).containsExactly(a, c, b, d, other);
  }

  @Test
  void copiesOnlyWhatIsComputed() {
    Sequence a = compute("abcde");
    append(a, "f");
    Sequence b = tree.fork(a);
    append(b, "X");
    assertThat(copies).containsExactly(new Copy(a.chunkIds()[1], b.chunkIds()[1], 1));
    assertThat(b.computed()).isEqualTo(5);
    Sequence c = compute("12345678");
    Sequence d = insert("zz");
    Sequence e = tree.fork(d);
    copies.clear();
    append(e, "X");
    assertThat(copies).isEmpty();
    assertThat(c.length()).isEqualTo(8);
  }

  @Test
  void beamsLeaveNothingBehind() {
    List<Sequence> beams = new ArrayList<>(List.of(compute("The sky is")));
    for (int step = 0; step < 30; step++) {
      List<Sequence> next = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        Sequence fork = tree.fork(beams.get(i % 2 % beams.size()));
        tree.append(fork, 'a' + i);
        tree.computed(fork, fork.length());
        next.add(fork);
      }
      beams.forEach(tree::remove);
      beams = next;
      tree.check();
      assertThat(tree.chunksLive()).isLessThanOrEqualTo(2 * 10 + 4);
    }
    assertThat(order()).containsExactlyInAnyOrderElementsOf(beams);
    beams.forEach(tree::remove);
    assertThat(tree.chunksLive()).isZero();
  }

  @Test
  void forkOfAForkTellsWhatItsRootReused() {
    cache("abcdefgh");
    Sequence a = compute("abcdefghi");
    assertThat(tree.fork(tree.fork(a)).reused()).isEqualTo(8);
  }
}
