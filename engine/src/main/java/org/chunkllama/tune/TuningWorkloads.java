package org.chunkllama.tune;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.GraphTimer;
import org.chunkllama.spi.KvLayout;

/** A handful of decode steps of one shape of heads: a shared prefix, forests, no sharing. */
final class TuningWorkloads implements AutoCloseable, AttentionTuner.Workloads {
  private static final int ROUNDS = 5;

  private final Backend backend;
  private final GraphTimer timer;
  private final KvLayout layout;
  private final int queryHeads;
  private final List<String> names = new ArrayList<>();
  private final List<ColdWorkload> workloads = new ArrayList<>();

  /** Paths through a tree of which nothing but lengths is known. */
  private static final class Forest {
    private final int chunkTokens;
    private final List<int[]> paths = new ArrayList<>();
    private final List<Integer> lengths = new ArrayList<>();
    private int next;

    Forest(int chunkTokens) {
      this.chunkTokens = chunkTokens;
    }

    /** Ids of a node that holds about so many tokens. */
    int[] node(int tokens) {
      int[] ids = new int[tokens / chunkTokens];
      for (int i = 0; i < ids.length; i++) {
        ids[i] = next++;
      }
      return ids;
    }

    /** A sequence below {@code nodes} with tokens of its own. */
    void leaf(int own, int[]... nodes) {
      List<Integer> path = new ArrayList<>();
      for (int[] node : nodes) {
        for (int id : node) {
          path.add(id);
        }
      }
      lengths.add(path.size() * chunkTokens + own);
      for (int i = 0; i < Math.ceilDiv(own, chunkTokens); i++) {
        path.add(next++);
      }
      paths.add(path.stream().mapToInt(Integer::intValue).toArray());
    }
  }

  TuningWorkloads(Backend backend, GraphTimer timer, KvLayout layout, int queryHeads) {
    this.backend = backend;
    this.timer = timer;
    this.layout = layout;
    this.queryHeads = queryHeads;
    boolean done = false;
    try {
      addAll(layout.chunkTokens());
      done = true;
    } finally {
      if (!done) {
        close();
      }
    }
  }

  private void addAll(int c) {
    add("8 behind 2048 tokens, 64 of their own", prefix(c, 8, 2048, 64));
    add("32 behind 2048, 256 of their own", prefix(c, 32, 2048, 256));
    add("64 behind 4096, 128 of their own", prefix(c, 64, 4096, 128));
    add("128 behind 8192, 64 of their own", prefix(c, 128, 8192, 64));
    add("16 with 1024 each, nothing shared", prefix(c, 16, 0, 1024));
    add("64 in 4 trees of 4 branches", branches(c));
    add("48 of uneven lengths in 6 trees", uneven(c));
  }

  private static Forest prefix(int c, int batch, int shared, int own) {
    Forest forest = new Forest(c);
    int[] root = forest.node(shared);
    for (int i = 0; i < batch; i++) {
      forest.leaf(own, root);
    }
    return forest;
  }

  private static Forest branches(int c) {
    Forest forest = new Forest(c);
    for (int tree = 0; tree < 4; tree++) {
      int[] root = forest.node(1024);
      for (int branch = 0; branch < 4; branch++) {
        int[] node = forest.node(512);
        for (int i = 0; i < 4; i++) {
          forest.leaf(128, root, node);
        }
      }
    }
    return forest;
  }

  private static Forest uneven(int c) {
    SplittableRandom random = new SplittableRandom(7);
    Forest forest = new Forest(c);
    for (int tree = 0; tree < 6; tree++) {
      int[] root = forest.node(random.nextInt(64, 1500));
      for (int i = 0; i < 8; i++) {
        forest.leaf(random.nextInt(16, 700), root);
      }
    }
    return forest;
  }

  private void add(String name, Forest forest) {
    names.add(name);
    workloads.add(
        new ColdWorkload(
            backend,
            timer,
            layout,
            queryHeads,
            forest.paths.toArray(int[][]::new),
            forest.lengths.stream().mapToInt(Integer::intValue).toArray()));
  }

  @Override
  public List<String> names() {
    return names;
  }

  @Override
  public double micros(int workload) {
    return workloads.get(workload).micros(ROUNDS);
  }

  @Override
  public void close() {
    workloads.forEach(ColdWorkload::close);
  }
}
