package org.chunkllama.contract;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.plan.AttentionPlanner;

/**
 * A batch: sequences below one or several trees of chunks, in depth-first order.
 *
 * @param chunkTokens tokens per chunk
 * @param chunks chunk ids in use are [0, chunks), scattered over the paths
 * @param sequences in depth-first order
 */
record Forest(int chunkTokens, int chunks, List<Sequence> sequences) {
  /**
   * Rows of one sequence in a step.
   *
   * @param path chunk ids
   * @param firstPosition position of the first row
   * @param rows 1 when decoding, more in a slice of prefill
   */
  record Sequence(int[] path, int firstPosition, int rows) {
    int end() {
      return firstPosition + rows;
    }
  }

  int rows() {
    return sequences.stream().mapToInt(Sequence::rows).sum();
  }

  AttentionPlan plan(AttentionPlanner planner) {
    planner.begin();
    for (Sequence sequence : sequences) {
      planner.add(sequence.path, sequence.firstPosition, sequence.rows);
    }
    return planner.finish();
  }

  @Override
  public String toString() {
    return sequences.stream()
        .map(s -> Arrays.toString(s.path) + "@" + s.firstPosition + "+" + s.rows)
        .toList()
        .toString();
  }

  /** Sequences with a common prefix of whole chunks and a number of own tokens each. */
  static Forest sharing(int chunkTokens, int sharedChunks, int... ownTokens) {
    Builder builder = new Builder(new SplittableRandom(1), chunkTokens, 0, false);
    int[] shared = builder.extend(new int[0], sharedChunks);
    for (int own : ownTokens) {
      int[] path = builder.extend(shared, Math.ceilDiv(own, chunkTokens));
      int last = sharedChunks * chunkTokens + own - 1;
      builder.sequences.add(new Sequence(path, last, 1));
    }
    return builder.build();
  }

  /** Several roots, ragged depth, tails of any length, forks that nobody has written to yet. */
  static Forest random(
      SplittableRandom random, int chunkTokens, int batch, int maxRun, boolean slices) {
    Builder builder = new Builder(random, chunkTokens, maxRun, slices);
    while (builder.sequences.size() < batch) {
      builder.grow(new int[0], random.nextInt(1, batch - builder.sequences.size() + 1));
    }
    return builder.build();
  }

  private static final class Builder {
    final List<Sequence> sequences = new ArrayList<>();
    private final SplittableRandom random;
    private final int chunkTokens;
    private final int maxRun;
    private final boolean slices;
    private int chunks;

    Builder(SplittableRandom random, int chunkTokens, int maxRun, boolean slices) {
      this.random = random;
      this.chunkTokens = chunkTokens;
      this.maxRun = maxRun;
      this.slices = slices;
    }

    void grow(int[] path, int batch) {
      int[] here = extend(path, random.nextInt(path.length == 0 ? 0 : 1, maxRun + 1));
      if (batch == 1) {
        sequences.add(leaf(here));
      } else if (here.length > 0 && random.nextInt(6) == 0) {
        int end = here.length * chunkTokens - random.nextInt(chunkTokens);
        for (int i = 0; i < batch; i++) { // prefix = whole prompt
          sequences.add(new Sequence(here, end - 1, 1));
        }
      } else {
        for (int left = batch; left > 0; ) {
          int some = random.nextInt(1, left + 1);
          grow(here, some);
          left -= some;
        }
      }
    }

    int[] extend(int[] path, int count) {
      int[] longer = Arrays.copyOf(path, path.length + count);
      for (int i = path.length; i < longer.length; i++) {
        longer[i] = chunks++;
      }
      return longer;
    }

    private Sequence leaf(int[] shared) {
      int own = random.nextInt(1, 2 * chunkTokens + 2);
      int[] path = extend(shared, Math.ceilDiv(own, chunkTokens));
      int end = shared.length * chunkTokens + own;
      int rows = slices && random.nextInt(4) == 0 ? random.nextInt(1, own + 1) : 1;
      return new Sequence(path, end - rows, rows);
    }

    /** Renames the chunks, so that neighbours on a path are no neighbours in memory. */
    Forest build() {
      int[] name = new int[chunks];
      for (int i = 0; i < chunks; i++) {
        int other = random.nextInt(i + 1);
        name[i] = name[other];
        name[other] = i;
      }
      List<Sequence> renamed = new ArrayList<>();
      for (Sequence sequence : sequences) {
        int[] path = Arrays.stream(sequence.path).map(chunk -> name[chunk]).toArray();
        renamed.add(new Sequence(path, sequence.firstPosition, sequence.rows));
      }
      return new Forest(chunkTokens, Math.max(1, chunks), renamed);
    }
  }
}
