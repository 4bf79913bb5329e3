package org.chunkllama.prefix;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/** Decoding allocates nothing but the growth of each sequence's list of chunk ids. */
class AllocationTest {
  private static final int SEQUENCES = 4;
  private static final int TOKENS = 20_000;

  @Test
  void appendAndComputedAllocateNothing() {
    PrefixTree tree = new PrefixTree(2000, 64, (from, to, n) -> {}, System::nanoTime, true);
    Sequence[] sequences = new Sequence[SEQUENCES];
    for (int i = 0; i < SEQUENCES; i++) {
      sequences[i] = tree.insert(new int[] {i}, 1, "");
    }
    decode(tree, sequences, 100);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    decode(tree, sequences, TOKENS);
    long bytes = threads.getCurrentThreadAllocatedBytes() - before;
    // lists of 20,000 / 64 ids that grow by doubling take 4 KiB a sequence; an object a token 16
    // bytes
    assertThat(bytes).isLessThan(SEQUENCES * TOKENS);
    tree.check();
  }

  private static void decode(PrefixTree tree, Sequence[] sequences, int tokens) {
    for (int i = 0; i < tokens; i++) {
      for (Sequence s : sequences) {
        tree.append(s, i);
        tree.computed(s, s.length());
      }
    }
  }
}
