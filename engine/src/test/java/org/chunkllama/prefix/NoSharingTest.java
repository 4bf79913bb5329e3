package org.chunkllama.prefix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.chunkllama.error.PoolExhaustedException;
import org.chunkllama.prefix.NaiveTree.Copy;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** With sharing off every sequence has its own chunks. */
class NoSharingTest extends TreeFixture {
  @BeforeEach
  void sharingOff() {
    tree = new PrefixTree(32, 4, (a, b, n) -> copies.add(new Copy(a, b, n)), () -> now, false);
  }

  @Test
  void matchesNothingAndRetainsNothing() {
    Sequence a = compute("abcdefgh");
    assertThat(match("abcdefgh")).isEqualTo(new Match(0, 0));
    Sequence b = insert("abcdefgh");
    assertThat(b.reused()).isZero();
    assertThat(order()).containsExactly(a, b);
    assertThat(tree.chunksLive()).isEqualTo(4).isEqualTo(tree.chunksLiveUnshared());
    assertThat(pin("abcdefgh", 0).tokens()).isZero();
    tree.computed(b, 8);
    tree.remove(a);
    tree.remove(b);
    assertThat(tree.chunksFree()).isEqualTo(32);
    assertThat(tree.stats().tokensReused()).isZero();
  }

  @Test
  void aForkCopiesWhatIsComputed() {
    Sequence a = compute("abcdefg");
    append(a, "hi");
    Sequence x = compute("xx");
    Sequence b = tree.fork(a);
    assertThat(order()).containsExactly(a, b, x);
    assertThat(string(b)).isEqualTo("abcdefghi");
    assertThat(b.computed()).isEqualTo(7);
    assertThat(copies)
        .containsExactly(
            new Copy(a.chunkIds()[0], b.chunkIds()[0], 4),
            new Copy(a.chunkIds()[1], b.chunkIds()[1], 3));
    append(b, "j");
    assertThat(string(a)).isEqualTo("abcdefghi");
    assertThat(chunks(a)).doesNotContainAnyElementsOf(chunks(b));
  }

  @Test
  void randomOperationsShareNothingAndLoseNothing() {
    Random random = new Random(7);
    List<Sequence> live = new ArrayList<>();
    for (int i = 0; i < 5000; i++) {
      int kind = live.isEmpty() ? 0 : random.nextInt(6);
      Sequence s = live.isEmpty() ? insert("first") : live.get(random.nextInt(live.size()));
      if (live.isEmpty()) {
        live.add(s);
      }
      int before = tree.chunksFree();
      try {
        switch (kind) {
          case 0 -> live.add(insert("aabbaabbaabb".substring(random.nextInt(12))));
          case 1 -> live.add(tree.fork(s));
          case 2, 3 -> append(s, "a");
          case 4 -> tree.computed(s, s.length());
          default -> {
            tree.remove(s);
            live.remove(s);
          }
        }
      } catch (PoolExhaustedException e) {
        assertThat(tree.chunksFree()).isEqualTo(before);
      }
      tree.check();
      int chunks = live.stream().mapToInt(x -> (x.length() + 3) / 4).sum();
      assertThat(tree.chunksFree()).isEqualTo(32 - chunks);
    }
  }

  @Test
  void forkWithoutRoomChangesNothing() {
    Sequence a = compute("a".repeat(80));
    assertThatThrownBy(() -> tree.fork(a)).isInstanceOf(PoolExhaustedException.class);
    assertThat(tree.sequences()).isEqualTo(1);
    assertThat(tree.chunksFree()).isEqualTo(12);
  }
}
