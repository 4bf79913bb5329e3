package org.chunkllama.cuda;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Deals blocks (rows times tokens) out to lanes so that all take the same time. Blocks of one row
 * go whole to the least loaded lane, longest first, so that each lane merges its share of rows.
 * Blocks of several rows then fill the lanes up to one level, and come first in them: others wait
 * for their states. Products bound records of many rows, memory bounds single rows: where lanes
 * have many of these, every other one begins with a half of them, so that both are in use always.
 *
 * <p>Costs are in units of one 16-bit token read, as {@link CudaTuning} and {@link KvCosts} say.
 */
final class LaneCutter {
  private static final int ALIGN = 16; // tokens: cuts fall on multiples
  private static final double RECORD = 2;
  private static final int BISECTIONS = 7;
  private static final int PRODUCTS = 32; // query rows: more go to warpgroup products

  /** Takes the pieces, those of each lane in the order in which it works on them. */
  interface Sink {
    void piece(int lane, int block, int from, int tokens);
  }

  private final int lanes;
  private final int group;
  private final int smallest; // tokens of a piece
  private final double read; // see KvCosts
  private final double mixed;
  private final double balance; // see Knob for this and what follows
  private final double shared;
  private final double state;
  private final double merge;
  private final double[] loads; // [lanes] cost of single rows
  private final int[] heap; // [lanes] the least loaded first
  private final Blocks blocks;
  private long[] several = new long[64]; // blocks by falling rows
  private int severalCount;
  private long[] singles = new long[64]; // pieces of single rows by falling tokens
  private int[] singleBlock = new int[64];
  private int[] singleFrom = new int[64];
  private int[] singleLane = new int[64];
  private int singleCount;
  private final int[] singleTokens; // [lanes]
  private final int[] singlesOf; // [lanes] pieces
  private final int[] early; // [lanes] pieces of single rows before those of several
  private final int[] seen; // [lanes]

  LaneCutter(int lanes, int group, Blocks blocks, CudaTuning tuning, KvCosts costs) {
    this.lanes = lanes;
    this.group = group;
    smallest = (int) tuning.of(Knob.SMALLEST);
    read = costs.read();
    mixed = costs.mixed();
    balance = tuning.of(Knob.BALANCE) * costs.balance();
    shared = tuning.of(Knob.SHARED);
    state = tuning.of(Knob.STATE);
    merge = tuning.of(Knob.MERGE);
    this.blocks = blocks;
    loads = new double[lanes];
    heap = new int[lanes];
    singleTokens = new int[lanes];
    singlesOf = new int[lanes];
    early = new int[lanes];
    seen = new int[lanes];
  }

  /** Cuts all blocks. */
  void cut(Sink sink) {
    Arrays.fill(loads, 0);
    Arrays.fill(singleTokens, 0);
    Arrays.fill(singlesOf, 0);
    severalCount = 0;
    singleCount = 0;
    double total = 0;
    for (int b = 0; b < blocks.count; b++) {
      total += price(b);
      if (blocks.rows[b] > 1) {
        addSeveral(b);
      }
    }
    if (severalCount == 0) {
      for (int b = 0; b < blocks.count; b++) {
        addSeveral(b);
      }
    } else {
      cutSingles(total / lanes);
      dealSingles();
    }
    Arrays.sort(several, 0, severalCount);
    boolean products = severalCount > 0 && blocks.rows[(int) several[0]] * group > PRODUCTS;
    for (int lane = 0; lane < lanes; lane++) {
      boolean halves = products && lane % 2 == 1 && singleTokens[lane] > mixed;
      early[lane] = halves ? singlesOf[lane] / 2 : 0;
    }
    passSingles(true, sink);
    fill(level(), sink);
    passSingles(false, sink);
  }

  private void passSingles(boolean before, Sink sink) {
    Arrays.fill(seen, 0);
    for (int i = 0; i < singleCount; i++) {
      int piece = (int) singles[i];
      int lane = singleLane[piece];
      if (before == seen[lane]++ < early[lane]) {
        sink.piece(lane, singleBlock[piece], singleFrom[piece], tokens(singles[i]));
      }
    }
  }

  private void addSeveral(int block) {
    if (severalCount == several.length) {
      several = Arrays.copyOf(several, 2 * severalCount);
    }
    several[severalCount++] = key(blocks.rows[block], block);
  }

  /** Sorts by falling {@code size}, then by index. */
  private static long key(int size, int index) {
    return (long) (Integer.MAX_VALUE - size) << 32 | index;
  }

  private static int tokens(long key) {
    return Integer.MAX_VALUE - (int) (key >> 32);
  }

  private double perToken(int block) {
    return Math.max(read, blocks.rows[block] * group / balance);
  }

  private double fixed(int block) {
    int rows = blocks.rows[block] * group;
    if (blocks.rows[block] > 1) {
      return RECORD + shared + rows * state;
    }
    return blocks.firstToken[block] > 0 ? RECORD + rows * merge : RECORD;
  }

  private double price(int block) {
    return blocks.tokens[block] * perToken(block) + fixed(block);
  }

  /** A single row that costs more than a lane's share is cut into equal pieces. */
  private void cutSingles(double share) {
    for (int b = 0; b < blocks.count; b++) {
      if (blocks.rows[b] == 1) {
        int tokens = blocks.tokens[b];
        int parts = (int) Math.ceil(price(b) / share - 1e-6);
        parts = Math.max(1, Math.min(parts, tokens / smallest));
        int step = parts > 1 ? Math.ceilDiv(Math.ceilDiv(tokens, parts), ALIGN) * ALIGN : tokens;
        for (int from = 0; from < tokens; from += step) {
          addSingle(b, from, Math.min(step, tokens - from));
        }
      }
    }
  }

  private void addSingle(int block, int from, int tokens) {
    if (singleCount == singles.length) {
      int size = 2 * singleCount;
      singles = Arrays.copyOf(singles, size);
      singleBlock = Arrays.copyOf(singleBlock, size);
      singleFrom = Arrays.copyOf(singleFrom, size);
      singleLane = Arrays.copyOf(singleLane, size);
    }
    singles[singleCount] = key(tokens, singleCount);
    singleBlock[singleCount] = block;
    singleFrom[singleCount++] = from;
  }

  /** Each piece goes to the least loaded lane, the first of several. */
  private void dealSingles() {
    Arrays.sort(singles, 0, singleCount);
    for (int lane = 0; lane < lanes; lane++) {
      heap[lane] = lane;
    }
    for (int i = 0; i < singleCount; i++) {
      int piece = (int) singles[i];
      int block = singleBlock[piece];
      int least = heap[0];
      singleLane[piece] = least;
      loads[least] += fixed(block) + perToken(block) * tokens(singles[i]);
      singleTokens[least] += tokens(singles[i]);
      singlesOf[least]++;
      sink(least);
    }
  }

  /** Puts the lane on top of the heap, whose load has grown, where it belongs. */
  private void sink(int lane) {
    int hole = 0;
    for (int child = 1; child < lanes; child = 2 * hole + 1) {
      if (child + 1 < lanes && isBefore(heap[child + 1], heap[child])) {
        child++;
      }
      if (!isBefore(heap[child], lane)) {
        break;
      }
      heap[hole] = heap[child];
      hole = child;
    }
    heap[hole] = lane;
  }

  private boolean isBefore(int lane, int other) {
    return loads[lane] < loads[other] || (loads[lane] == loads[other] && lane < other);
  }

  /** The smallest level found at which the lanes suffice. */
  private double level() {
    double sum = 0;
    for (int i = 0; i < severalCount; i++) {
      sum += price((int) several[i]);
    }
    for (double load : loads) {
      sum += load;
    }
    double low = sum / lanes;
    double high = low * 1.0001;
    if (fill(high, null)) {
      return high;
    }
    high = low;
    do {
      high *= 1.25;
    } while (!fill(high, null));
    for (int i = 0; i < BISECTIONS; i++) {
      double middle = (low + high) / 2;
      if (fill(middle, null)) {
        high = middle;
      } else {
        low = middle;
      }
    }
    return high;
  }

  /** Fills the lanes up to {@code level}; false if they do not suffice. */
  private boolean fill(double level, @Nullable Sink sink) {
    int lane = 0;
    double used = loads[0];
    for (int i = 0; i < severalCount; i++) {
      int block = (int) several[i];
      double perToken = perToken(block);
      double fixed = fixed(block);
      int from = 0;
      while (from < blocks.tokens[block]) {
        int take = piece(block, from, (level - used - fixed) / perToken);
        if (take > 0) {
          if (sink != null) {
            sink.piece(lane, block, from, take);
          }
          used += fixed + take * perToken;
          from += take;
        }
        if (from < blocks.tokens[block]) {
          lane++;
          if (lane == lanes) {
            return false;
          }
          used = loads[lane];
        }
      }
    }
    return true;
  }

  /** Tokens from {@code from} on that fit into {@code room}; 0 if too few. */
  private int piece(int block, int from, double room) {
    int left = blocks.tokens[block] - from;
    if (left <= room) {
      return left;
    }
    int take = (int) Math.max(0, room) / ALIGN * ALIGN;
    if (left - take < smallest) {
      take = (left - smallest) / ALIGN * ALIGN;
    }
    if (blocks.isCausal(block)) { // all rows must see the next piece's first token
      take = Math.min(take, (blocks.seenByAll[block] - 1) / ALIGN * ALIGN - from);
    }
    return take >= smallest ? take : 0;
  }
}
