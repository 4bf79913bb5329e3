package org.chunkllama.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Sequences of one decode step that share prefixes, in the tree's depth-first order.
 *
 * @param name for people
 * @param chunkTokens tokens per chunk
 * @param paths chunk ids of each sequence
 * @param lengths tokens of each sequence
 */
public record DecodeTree(String name, int chunkTokens, int[][] paths, int[] lengths) {
  private static final int[] NODE_CHUNKS = {2, 8, 30, 60};
  private static final int[] TAIL_TOKENS = {80, 400, 1500};
  private static final int SEQUENCES_MAX = 200;

  /** 4 roots of 1,024 tokens, 4 branches of 512 on each, 4 sequences of 128 own tokens on each. */
  public static DecodeTree forest(int chunkTokens) {
    Growth growth = new Growth(chunkTokens);
    for (int root = 0; root < 4; root++) {
      int[] trunk = growth.extend(new int[0], 1024);
      for (int branch = 0; branch < 4; branch++) {
        int[] path = growth.extend(trunk, 512);
        for (int s = 0; s < 4; s++) {
          growth.sequence(path, 128);
        }
      }
    }
    return growth.tree("forest");
  }

  /**
   * A random tree of up to 200 sequences: 1 to 3 roots, nodes of up to 59 chunks, tails of 1 to
   * 1,499 tokens.
   */
  public static DecodeTree ragged(String name, SplittableRandom random, int chunkTokens) {
    while (true) {
      Growth growth = new Growth(chunkTokens);
      for (int roots = random.nextInt(1, 4); roots > 0; roots--) {
        growth.branch(new int[0], random.nextInt(1, 4), random);
      }
      if (growth.paths.size() <= SEQUENCES_MAX) {
        return growth.tree(name);
      }
    }
  }

  public int sequences() {
    return paths.length;
  }

  /** Tokens that lie in the chunks, each counted once. */
  public long tokens() {
    int[] inChunk = new int[chunks()];
    for (int s = 0; s < paths.length; s++) {
      for (int i = 0; i < paths[s].length; i++) {
        int filled = Math.min(chunkTokens, lengths[s] - i * chunkTokens);
        inChunk[paths[s][i]] = Math.max(inChunk[paths[s][i]], filled);
      }
    }
    long tokens = 0;
    for (int filled : inChunk) {
      tokens += filled;
    }
    return tokens;
  }

  /** One more than the largest chunk id. */
  int chunks() {
    int largest = 0;
    for (int[] path : paths) {
      for (int chunk : path) {
        largest = Math.max(largest, chunk);
      }
    }
    return largest + 1;
  }

  /** A tree while it grows. */
  private static final class Growth {
    final List<int[]> paths = new ArrayList<>();
    private final List<Integer> lengths = new ArrayList<>();
    private final int chunkTokens;
    private int next; // chunk id

    Growth(int chunkTokens) {
      this.chunkTokens = chunkTokens;
    }

    /** The path and as many new chunks as the tokens take. */
    int[] extend(int[] path, int tokens) {
      int[] longer = new int[path.length + Math.ceilDiv(tokens, chunkTokens)];
      System.arraycopy(path, 0, longer, 0, path.length);
      for (int i = path.length; i < longer.length; i++) {
        longer[i] = next++;
      }
      return longer;
    }

    void sequence(int[] path, int tail) {
      paths.add(extend(path, tail));
      lengths.add(path.length * chunkTokens + tail);
    }

    void branch(int[] from, int depth, SplittableRandom random) {
      int chunks = random.nextInt(NODE_CHUNKS[random.nextInt(NODE_CHUNKS.length)]);
      int[] path = extend(from, chunks * chunkTokens);
      for (int children = random.nextInt(1, 5); children > 0; children--) {
        if (depth > 0 && random.nextDouble() < 0.6) {
          branch(path, depth - 1, random);
        } else {
          sequence(path, random.nextInt(1, TAIL_TOKENS[random.nextInt(TAIL_TOKENS.length)]));
        }
      }
    }

    DecodeTree tree(String name) {
      return new DecodeTree(
          name,
          chunkTokens,
          paths.toArray(int[][]::new),
          lengths.stream().mapToInt(Integer::intValue).toArray());
    }
  }
}
