package org.chunkllama.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class DecodeTreeTest {
  @Test
  void theForestIsTheOneOfTheTable() {
    DecodeTree forest = DecodeTree.forest(64);
    assertThat(forest.sequences()).isEqualTo(64);
    assertThat(forest.tokens()).isEqualTo(4 * 1024 + 16 * 512 + 64 * 128);
    assertThat(forest.lengths()).containsOnly(1024 + 512 + 128);
    assertThat(forest.chunks()).isEqualTo(forest.tokens() / 64);
  }

  @Test
  void aSeedGivesTheSameTrees() {
    DecodeTree one = DecodeTree.ragged("one", new SplittableRandom(7), 32);
    DecodeTree again = DecodeTree.ragged("one", new SplittableRandom(7), 32);
    assertThat(one.paths()).isDeepEqualTo(again.paths());
    assertThat(one.lengths()).isEqualTo(again.lengths());
  }

  @Test
  void raggedTreesAreTrees() {
    SplittableRandom random = new SplittableRandom(3);
    int sharing = 0;
    for (int i = 0; i < 100; i++) {
      DecodeTree tree = DecodeTree.ragged("t", random, 64);
      assertThat(tree.sequences()).isBetween(1, 200);
      Map<Integer, Integer> parents = new HashMap<>(); // of each chunk
      int chunks = 0;
      for (int s = 0; s < tree.sequences(); s++) {
        int[] path = tree.paths()[s];
        assertThat(Math.ceilDiv(tree.lengths()[s], 64)).isEqualTo(path.length);
        chunks += path.length;
        for (int c = 0; c < path.length; c++) {
          int parent = c == 0 ? -1 : path[c - 1];
          assertThat(parents.merge(path[c], parent, (a, b) -> a)).isEqualTo(parent);
        }
      }
      sharing += parents.size() < chunks ? 1 : 0;
      assertThat(tree.tokens()).isLessThanOrEqualTo(parents.size() * 64L);
    }
    assertThat(sharing).isGreaterThan(50);
  }
}
