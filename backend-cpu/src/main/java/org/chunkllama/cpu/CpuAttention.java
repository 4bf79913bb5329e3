package org.chunkllama.cpu;

import java.util.Arrays;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvLayout;
import org.jspecify.annotations.Nullable;

/**
 * Two-phase attention on all cores. A piece of work is a segment of the plan times a KV head; where
 * segments leave partial states, a second job merges them, a row times a KV head at a time. Nothing
 * is allocated once scratch memory fits the shapes seen.
 *
 * <p>Used by one thread. Vector kernels read memory unchecked, so every shape and index is checked
 * here first.
 */
final class CpuAttention implements AutoCloseable {
  /** Fewer are as fast in fp32. */
  private static final int PAIRS_FROM_ROWS = 16;

  private static final int PAIRS_FROM_DIM = 32;

  private final Workers workers;
  private final KvWriter writer;
  private final AttentionCall call = new AttentionCall();
  private final Workers.Task segments = this::segment;
  private final Workers.Task merges = this::merge;

  /** By worker. */
  private Lane[] lanes = new Lane[0];

  private int laneGroup;
  private int laneChunkTokens;
  private int laneDim;
  private @Nullable LargeMemory states;
  private long stateBytes;
  private boolean pairs;
  private boolean[] direct = new boolean[64];

  private final @Nullable OneDnnEngine engine;
  private @Nullable AttentionProducts products;

  /** A worker's scratch memory and the code bound to it. */
  private record Lane(
      AttentionScratch scratch,
      TileAttention tiles,
      StateMerge merge,
      @Nullable AttentionScratch pairScratch,
      @Nullable PairAttention pairs)
      implements AutoCloseable {
    @Override
    public void close() {
      scratch.close();
      if (pairs != null) {
        pairs.close();
      }
      if (pairScratch != null) {
        pairScratch.close();
      }
    }
  }

  /**
   * @param engine for products in bf16; null: fp32 throughout
   */
  CpuAttention(Workers workers, @Nullable OneDnnEngine engine) {
    this.workers = workers;
    this.engine = engine;
    this.writer = new KvWriter(workers);
  }

  /** As {@link org.chunkllama.spi.Backend#append}. */
  void append(CpuKvCache cache, int layer, CpuTensor qkv, int queryHeads, AttentionPlan plan) {
    KvLayout kv = cache.layout();
    for (int row = 0; row < plan.rows; row++) {
      checkIndex("chunk", plan.rowChunk[row], cache.chunks());
      checkIndex("slot", plan.rowSlot[row], kv.chunkTokens());
    }
    writer.write(cache, layer, qkv, queryHeads * kv.headDim(), plan);
  }

  /** As {@link org.chunkllama.spi.Backend#attention}. */
  void attend(
      CpuKvCache cache,
      int layer,
      CpuTensor qkv,
      int queryHeads,
      float scale,
      AttentionPlan plan,
      CpuTensor out) {
    KvLayout kv = cache.layout();
    checkSegments(cache, plan);
    prepareLanes(queryHeads / kv.kvHeads(), kv.chunkTokens(), cache.paddedDim());
    call.set(cache, plan);
    pairs = products != null && kv.type() == DType.BF16;
    call.layer = layer;
    call.queries = qkv.address();
    call.queryRowBytes = qkv.rowBytes();
    call.queryHeads = queryHeads;
    call.scale = scale;
    call.out = out.address();
    call.outRowBytes = out.rowBytes();
    prepareProducts(plan);
    call.states = states((long) plan.partials * queryHeads, cache.paddedDim());
    workers.run(plan.segments * kv.kvHeads(), segments);
    if (findDirect(plan) < plan.rows) {
      workers.run(plan.rows * kv.kvHeads(), merges);
    }
  }

  private void segment(int index, int worker) {
    int kvHeads = call.cache().layout().kvHeads();
    int segment = index / kvHeads;
    Lane lane = lanes[worker];
    SegmentAttention way =
        lane.pairs != null && takesPairs(call.plan(), segment) ? lane.pairs : lane.tiles;
    way.run(segment, index % kvHeads);
  }

  private boolean takesPairs(AttentionPlan plan, int segment) {
    return pairs && plan.segmentRows[segment] * call.group() >= PAIRS_FROM_ROWS;
  }

  /** Compiles the products that the plan needs and are not there yet. */
  private void prepareProducts(AttentionPlan plan) {
    AttentionProducts prepared = products;
    if (prepared == null) {
      return;
    }
    for (int i = 0; i < plan.segments; i++) {
      if (takesPairs(plan, i)) {
        prepare(prepared, plan.segmentRows[i], plan.segmentTokens[i], plan.chunkTokens);
      }
    }
  }

  private void prepare(AttentionProducts prepared, int rows, int tokens, int chunkTokens) {
    int group = call.group();
    int step = PairAttention.step(chunkTokens);
    int blocks = SegmentAttention.blocks(rows, group, pairRows(group));
    for (int block = 0; block < blocks; block++) {
      int begin = SegmentAttention.begin(rows, blocks, block);
      int end = SegmentAttention.begin(rows, blocks, block + 1);
      int size = AttentionProducts.roundRows((end - begin) * group);
      // A causal block may end before the segment does.
      for (int left = Math.min(step, tokens); left > 0; left -= AttentionProducts.TOKEN_GRAIN) {
        prepared.prepare(size, AttentionProducts.roundTokens(left));
      }
    }
  }

  private static int pairRows(int group) {
    return AttentionProducts.roundRows(Math.max(PairAttention.ROWS, group));
  }

  private void merge(int index, int worker) {
    int kvHeads = call.cache().layout().kvHeads();
    int row = index / kvHeads;
    if (!direct[row]) {
      int firstHead = index % kvHeads * call.group();
      lanes[worker].merge.merge(row, firstHead, firstHead + call.group());
    }
  }

  /** Marks the rows that a segment writes itself, and counts them. */
  private int findDirect(AttentionPlan plan) {
    if (direct.length < plan.rows) {
      direct = new boolean[plan.rowPosition.length];
    }
    Arrays.fill(direct, 0, plan.rows, false);
    int count = 0;
    for (int i = 0; i < plan.segments; i++) {
      if (plan.segmentPartial[i] < 0) {
        int first = plan.segmentFirstRow[i];
        Arrays.fill(direct, first, first + plan.segmentRows[i], true);
        count += plan.segmentRows[i];
      }
    }
    return count;
  }

  private void prepareLanes(int group, int chunkTokens, int d) {
    if (lanes.length > 0 && group <= laneGroup && chunkTokens == laneChunkTokens && d == laneDim) {
      return;
    }
    closeLanes();
    OneDnnEngine library = engine;
    AttentionProducts fresh =
        library == null || d < PAIRS_FROM_DIM
            ? null
            : new AttentionProducts(library, pairRows(group), d);
    products = fresh;
    Lane[] made = new Lane[workers.count()];
    for (int i = 0; i < made.length; i++) {
      made[i] = lane(fresh, group, chunkTokens, d, i);
    }
    lanes = made;
    laneGroup = group;
    laneChunkTokens = chunkTokens;
    laneDim = d;
  }

  private Lane lane(
      @Nullable AttentionProducts products, int group, int chunkTokens, int d, int worker) {
    AttentionScratch scratch =
        new AttentionScratch(Math.max(TileAttention.ROWS, group), chunkTokens, d);
    TileAttention tiles = new TileAttention(call, scratch, chunkTokens, d);
    StateMerge merge = new StateMerge(call, scratch.wide, d);
    if (products == null) {
      return new Lane(scratch, tiles, merge, null, null);
    }
    AttentionScratch more = new AttentionScratch(pairRows(group), AttentionProducts.TOKENS, d);
    PairAttention pairs = new PairAttention(call, more, products, chunkTokens, d, worker);
    return new Lane(scratch, tiles, merge, more, pairs);
  }

  /** Memory for so many attention states of {@code d} values. */
  private long states(long count, int d) {
    long bytes = count * AttentionCall.stateBytes(d);
    LargeMemory memory = states;
    if (memory == null || bytes > stateBytes) {
      if (memory != null) {
        memory.close();
      }
      stateBytes = Math.max(2 * bytes, 1 << 16);
      memory = new LargeMemory(stateBytes);
      states = memory;
    }
    return memory.address();
  }

  private static void checkSegments(CpuKvCache cache, AttentionPlan plan) {
    for (int i = 0; i < plan.chunkIdCount; i++) {
      checkIndex("chunk", plan.chunkIds[i], cache.chunks());
    }
    for (int i = 0; i < plan.segments; i++) {
      int rows = plan.segmentRows[i];
      int chunks = Math.ceilDiv(plan.segmentTokens[i], plan.chunkTokens);
      checkRange("rows", plan.segmentFirstRow[i], rows, plan.rows);
      checkRange("chunks", plan.segmentChunkStart[i], chunks, plan.chunkIdCount);
      if (plan.segmentPartial[i] >= 0) {
        checkRange("partial states", plan.segmentPartial[i], rows, plan.partials);
      }
    }
    int listed = plan.rowPartialStart[plan.rows];
    for (int i = 0; i < listed; i++) {
      checkIndex("partial state", plan.rowPartial[i], plan.partials);
    }
  }

  private static void checkIndex(String what, int index, int bound) {
    if (index < 0 || index >= bound) {
      throw new IllegalArgumentException(what + " " + index + " is not in [0, " + bound + ")");
    }
  }

  private static void checkRange(String what, int first, int count, int bound) {
    if (first < 0 || count < 1 || first > bound - count) {
      throw new IllegalArgumentException(
          "%d %s from %d are not in [0, %d)".formatted(count, what, first, bound));
    }
  }

  private void closeLanes() {
    for (Lane lane : lanes) {
      lane.close();
    }
    lanes = new Lane[0];
    if (products != null) {
      products.close();
      products = null;
    }
  }

  @Override
  public void close() {
    closeLanes();
    if (states != null) {
      states.close();
      states = null;
      stateBytes = 0;
    }
  }
}
