package org.chunkllama.prefix;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.chunkllama.prefix.TreeSnapshot.Run;
import org.junit.jupiter.api.Test;

/** What a drawing of the tree shows, and the figures of a run. */
class SnapshotTest extends TreeFixture {
  @Test
  void chainsOfChunksWithTheSameSharersAreOneRun() {
    Sequence a = compute("SSSSSSSSSSSSaaaaaa");
    Sequence b = compute("SSSSSSSSSSSSbb");
    cache("SSSSSSSSSSSScccccccc");
    append(b, "b");
    TreeSnapshot snapshot = tree.snapshot(true);
    assertThat(snapshot.chunksLive()).isEqualTo(6);
    assertThat(snapshot.chunksRetained()).isEqualTo(2);
    assertThat(snapshot.chunksFree()).isEqualTo(24);
    assertThat(snapshot.chunksTotal()).isEqualTo(32);
    List<Run> runs = snapshot.runs();
    assertThat(runs).hasSize(4);
    Run system = runs.get(0);
    assertThat(system.chunks()).isEqualTo(3);
    assertThat(system.tokens()).isEqualTo(12);
    assertThat(system.sequences()).containsExactly(a.id(), b.id());
    assertThat(system.isShared()).isTrue();
    assertThat(system.parent()).isEqualTo(-1);
    assertThat(system.depth()).isZero();
    assertThat(system.tokenIds()).isEqualTo(text("SSSSSSSSSSSS"));
    Run first = runs.get(1);
    assertThat(first.firstToken()).isEqualTo(12);
    assertThat(first.tokens()).isEqualTo(6);
    assertThat(first.chunks()).isEqualTo(2);
    assertThat(first.sequences()).containsExactly(a.id());
    assertThat(first.isShared()).isFalse();
    assertThat(first.inFlight()).isFalse();
    Run second = runs.get(2);
    assertThat(second.sequences()).containsExactly(b.id());
    assertThat(second.inFlight()).isTrue();
    assertThat(second.parent()).isZero();
    assertThat(second.depth()).isEqualTo(1);
    Run third = runs.get(3);
    assertThat(third.isRetained()).isTrue();
    assertThat(third.tokens()).isEqualTo(8);
    assertThat(third.tokenIds()).isEqualTo(text("cccccccc"));
  }

  @Test
  void aRunEndsWhereASequenceEnds() {
    Sequence a = compute("abcdefgh");
    Sequence b = tree.fork(a);
    append(b, "ijkl");
    tree.computed(b, 12);
    List<Run> runs = tree.snapshot(false).runs();
    assertThat(runs).extracting(Run::chunks).containsExactly(2, 1);
    assertThat(runs.getLast().sequences()).containsExactly(b.id());
  }

  @Test
  void pinsAndTenantsShow() {
    cache("abcdefgh");
    pin("abcd", 0);
    tree.insert(text("xy"), 2, "tenant");
    List<Run> runs = tree.snapshot(false).runs();
    assertThat(runs).extracting(Run::salt).containsExactly("tenant", "", "");
    assertThat(runs).extracting(Run::pinned).containsExactly(false, true, false);
    assertThat(runs).extracting(Run::depth).containsExactly(0, 0, 1);
    assertThat(runs.get(1).tokenIds()).isEmpty();
    assertThat(tree(1).snapshot(true).runs()).isEmpty();
  }

  @Test
  void peaksAreThoseOfOneMoment() {
    Sequence a = compute("abcdefghi");
    Sequence b = compute("abcdefghj");
    assertThat(tree.chunksLivePeak()).isEqualTo(4);
    assertThat(tree.stats().chunksLivePeakUnshared()).isEqualTo(6);
    Sequence c = tree.fork(b);
    assertThat(tree.stats().chunksLivePeakUnshared()).isEqualTo(9);
    tree.remove(a);
    tree.remove(b);
    tree.remove(c);
    compute("4 chunks, 1 user");
    assertThat(tree.chunksLivePeak()).isEqualTo(4);
    assertThat(tree.stats().chunksLivePeakUnshared()).isEqualTo(9);
    tree.remove(order().getFirst());
    assertThat(tree.chunksLiveUnshared()).isZero();
    compute("ABCDEFGHIJKLMNOPQ");
    assertThat(tree.chunksLivePeak()).isEqualTo(5);
    assertThat(tree.stats().chunksLivePeakUnshared()).isEqualTo(5);
  }

  @Test
  void countsTokensAskedForAndReused() {
    cache("abcdefgh");
    insert("abcdefXX");
    insert("abcdefghi");
    PrefixStats stats = tree.stats();
    assertThat(stats.sequencesInserted()).isEqualTo(3);
    assertThat(stats.tokensQueried()).isEqualTo(8 + 8 + 9);
    assertThat(stats.tokensReused()).isEqualTo(6 + 8);
    assertThat(stats.tokensCopied()).isEqualTo(2);
    assertThat(stats.chunkCopies()).isEqualTo(1);
  }
}
