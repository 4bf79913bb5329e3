package org.chunkllama.plan;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** Random batches: sequences below random trees, in depth-first order. */
final class RandomForest {
  private final SplittableRandom random;
  private final int chunkTokens;
  private final boolean slices;
  private int nextChunk;

  RandomForest(long seed, int chunkTokens, boolean slices) {
    this.random = new SplittableRandom(seed);
    this.chunkTokens = chunkTokens;
    this.slices = slices;
  }

  List<PlanChecker.Rows> next(int maxSequences, int maxRun) {
    List<PlanChecker.Rows> batch = new ArrayList<>();
    int sequences = random.nextInt(1, maxSequences + 1);
    while (batch.size() < sequences) {
      grow(batch, new int[0], random.nextInt(1, sequences - batch.size() + 1), maxRun);
    }
    return batch;
  }

  private void grow(List<PlanChecker.Rows> batch, int[] path, int sequences, int maxRun) {
    int[] here = extend(path, random.nextInt(path.length == 0 ? 0 : 1, maxRun + 1));
    if (sequences == 1) {
      batch.add(leaf(here));
      return;
    }
    if (random.nextInt(8) == 0 && here.length > 0) { // forks that nobody has written to yet
      for (int i = 0; i < sequences; i++) {
        batch.add(new PlanChecker.Rows(here, here.length * chunkTokens - 1, 1));
      }
      return;
    }
    while (sequences > 0) {
      int some = random.nextInt(1, sequences + 1);
      grow(batch, here, some, maxRun);
      sequences -= some;
    }
  }

  private int[] extend(int[] path, int chunks) {
    int[] longer = Arrays.copyOf(path, path.length + chunks);
    for (int i = path.length; i < longer.length; i++) {
      longer[i] = nextChunk++;
    }
    return longer;
  }

  private PlanChecker.Rows leaf(int[] shared) {
    int own = random.nextInt(1, 4 * chunkTokens);
    int end = shared.length * chunkTokens + own;
    int rows = slices && random.nextInt(3) == 0 ? random.nextInt(1, own + 1) : 1;
    int spare = random.nextInt(3); // a backing array is longer than the path
    int[] path = extend(shared, (own - 1) / chunkTokens + 1 + spare);
    return new PlanChecker.Rows(path, end - rows, rows);
  }
}
