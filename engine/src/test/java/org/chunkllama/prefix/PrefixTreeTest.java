package org.chunkllama.prefix;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PrefixTreeTest {
  @Test
  void sharesWholeChunks() {
    PrefixTree tree = new PrefixTree(16, 4, (a, b, n) -> {}, System::nanoTime, true);
    int[] p = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    Sequence a = tree.insert(p, 9, "");
    tree.check();
    assertThat(tree.match(p, 9, "")).isEqualTo(new Match(0, 8));
    tree.computed(a, 9);
    tree.check();
    assertThat(tree.match(p, 9, "")).isEqualTo(new Match(8, 0));
    Sequence b = tree.insert(p, 9, "");
    tree.check();
    assertThat(b.reused()).isEqualTo(8);
    tree.remove(a);
    tree.check();
    tree.remove(b);
    tree.check();
  }
}
