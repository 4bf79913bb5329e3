package org.chunkllama.plan;

import java.util.Arrays;

/**
 * Cuts long runs into pieces so that all units finish together. A unit of work is a piece times a
 * KV head; units are claimed in the order of the pieces, longest first. Where one uncut run is
 * already enough for an even finish it stays whole, because each cut costs partial states.
 */
final class RunCutter {
  /** With so many units of work per worker they even out, and only outsize runs are cut. */
  private static final int PLENTY = 16;

  /** Up to so many units it costs next to nothing to try several cuts. */
  private static final int FEW = 256;

  /** Pieces of at most 1/n of a worker's even share, for each n. */
  private static final int[] SHARES = {1, 2, 3, 4, 6, 8};

  /** A finer cut must promise to take less than this part of the time. */
  private static final double WORTH = 0.9;

  private final int chunkTokens;
  private final int parallelism;
  private final int groupSize;
  private final int kvHeads;
  private final PlanCosts costs;
  private final Runs runs;
  private final double[] busyUntil;
  private double[] wholeCost = new double[64];
  private long[] order = new long[64];

  RunCutter(
      int chunkTokens, int parallelism, int groupSize, int kvHeads, PlanCosts costs, Runs runs) {
    this.chunkTokens = chunkTokens;
    this.parallelism = parallelism;
    this.groupSize = groupSize;
    this.kvHeads = kvHeads;
    this.costs = costs;
    this.runs = runs;
    this.busyUntil = new double[parallelism];
  }

  /** Sets {@link Runs#pieces} and the {@link #run order}. */
  void cut() {
    int count = runs.count;
    if (order.length < count) {
      order = new long[runs.firstRow.length];
      wholeCost = new double[runs.firstRow.length];
    }
    if (parallelism == 1) { // nothing to cut, and any order will do: the finder's
      for (int i = 0; i < count; i++) {
        order[i] = i;
      }
      return;
    }
    double work = 0;
    for (int i = 0; i < count; i++) {
      wholeCost[i] = tokensOf(runs.toChunk[i] - runs.fromChunk[i]) * perToken(i);
      work += wholeCost[i];
    }
    double share = work * kvHeads / parallelism;
    if ((long) count * kvHeads > Math.max(FEW, (long) PLENTY * parallelism)) {
      setPieces(share / 4);
    } else {
      tryShares(share);
    }
    sort();
  }

  /** The run that comes {@code i}th, longest piece first where there are several workers. */
  int run(int i) {
    return (int) order[i];
  }

  private void tryShares(double share) {
    sort();
    double best = finishTime();
    double bestLimit = Double.POSITIVE_INFINITY;
    for (int n : SHARES) {
      setPieces(share / n);
      sort();
      double time = finishTime();
      if (time < best * WORTH) {
        best = time;
        bestLimit = share / n;
      }
    }
    setPieces(bestLimit);
  }

  private void setPieces(double limit) {
    for (int i = 0; i < runs.count; i++) {
      double pieces = Math.ceil(wholeCost[i] / limit - 1e-9);
      runs.pieces[i] = (int) Math.clamp(pieces, 1, runs.maxPieces(i));
    }
  }

  private double perToken(int run) {
    return costs.read() + (double) runs.rows[run] * groupSize * costs.row();
  }

  private double tokensOf(int chunks) {
    return (double) chunks * chunkTokens;
  }

  private double pieceCost(int run, int piece) {
    int chunks = runs.pieceStart(run, piece + 1) - runs.pieceStart(run, piece);
    double states =
        runs.pieces[run] == 1 ? 0 : (double) runs.rows[run] * groupSize * costs.partial();
    return tokensOf(chunks) * perToken(run) + costs.segment() + states;
  }

  private void sort() {
    for (int i = 0; i < runs.count; i++) {
      float key = (float) (wholeCost[i] / runs.pieces[i]);
      // Bits of positive floats sort as the floats do; inverted, the longest comes first.
      order[i] = ((long) (Integer.MAX_VALUE - Float.floatToRawIntBits(key)) << 32) | i;
    }
    Arrays.sort(order, 0, runs.count);
  }

  /** When the last worker ends if each takes the next unit as soon as it is free. */
  private double finishTime() {
    Arrays.fill(busyUntil, 0);
    double last = 0;
    for (int i = 0; i < runs.count; i++) {
      int run = run(i);
      for (int piece = 0; piece < runs.pieces[run]; piece++) {
        double cost = pieceCost(run, piece);
        for (int head = 0; head < kvHeads; head++) {
          last = Math.max(last, giveToFirstFree(cost));
        }
      }
    }
    return last;
  }

  /** {@link #busyUntil} is a heap with the first free worker on top. */
  private double giveToFirstFree(double cost) {
    double[] heap = busyUntil;
    double until = heap[0] + cost;
    int hole = 0;
    for (int child = 1; child < heap.length; child = 2 * hole + 1) {
      if (child + 1 < heap.length && heap[child + 1] < heap[child]) {
        child++;
      }
      if (heap[child] >= until) {
        break;
      }
      heap[hole] = heap[child];
      hole = child;
    }
    heap[hole] = until;
    return until;
  }
}
