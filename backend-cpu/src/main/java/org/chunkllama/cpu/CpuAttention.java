package org.chunkllama.cpu;

import java.util.Arrays;
import org.chunkllama.plan.AttentionPlan;
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
  private boolean[] direct = new boolean[64];

  /** A worker's scratch memory and the code bound to it. */
  private record Lane(AttentionScratch scratch, SegmentAttention segment, StateMerge merge) {}

  CpuAttention(Workers workers) {
    this.workers = workers;
    this.writer = new KvWriter(workers);
  }

  /** As {@link org.chunkllama.spi.Backend#append}. */
  void append(CpuKvCache cache, int layer, CpuTensor qkv, AttentionPlan plan) {
    KvLayout kv = cache.layout();
    checkPlan(cache, layer, plan);
    int queryColumns = qkv.columns() - 2 * kv.kvHeads() * kv.headDim();
    if (queryColumns < 0 || plan.rows > qkv.rows()) {
      throw new IllegalArgumentException(
          "qkv of %d x %d does not hold %d rows of K and V"
              .formatted(qkv.rows(), qkv.columns(), plan.rows));
    }
    for (int row = 0; row < plan.rows; row++) {
      checkIndex("chunk", plan.rowChunk[row], cache.chunks());
      checkIndex("slot", plan.rowSlot[row], kv.chunkTokens());
    }
    writer.write(cache, layer, qkv, queryColumns, plan);
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
    checkPlan(cache, layer, plan);
    checkShapes(kv, qkv, queryHeads, plan, out);
    checkSegments(cache, plan);
    prepareLanes(queryHeads / kv.kvHeads(), kv.chunkTokens(), cache.paddedDim());
    call.set(cache, plan);
    call.layer = layer;
    call.queries = qkv.address();
    call.queryRowBytes = qkv.rowBytes();
    call.queryHeads = queryHeads;
    call.scale = scale;
    call.out = out.address();
    call.outRowBytes = out.rowBytes();
    call.states = states((long) plan.partials * queryHeads, cache.paddedDim());
    workers.run(plan.segments * kv.kvHeads(), segments);
    if (findDirect(plan) < plan.rows) {
      workers.run(plan.rows * kv.kvHeads(), merges);
    }
  }

  private void segment(int index, int worker) {
    int kvHeads = call.cache().layout().kvHeads();
    lanes[worker].segment.run(index / kvHeads, index % kvHeads);
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
    Lane[] fresh = new Lane[workers.count()];
    for (int i = 0; i < fresh.length; i++) {
      AttentionScratch scratch = new AttentionScratch(group, chunkTokens, d);
      SegmentAttention segment = new SegmentAttention(call, scratch, chunkTokens, d);
      fresh[i] = new Lane(scratch, segment, new StateMerge(call, scratch.wide, d));
    }
    lanes = fresh;
    laneGroup = group;
    laneChunkTokens = chunkTokens;
    laneDim = d;
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

  private static void checkPlan(CpuKvCache cache, int layer, AttentionPlan plan) {
    KvLayout kv = cache.layout();
    checkIndex("layer", layer, kv.layers());
    if (plan.chunkTokens != kv.chunkTokens()) {
      throw new IllegalArgumentException(
          "plan for chunks of %d tokens, the cache has %d"
              .formatted(plan.chunkTokens, kv.chunkTokens()));
    }
  }

  private static void checkShapes(
      KvLayout kv, CpuTensor qkv, int queryHeads, AttentionPlan plan, CpuTensor out) {
    if (queryHeads < 1 || queryHeads % kv.kvHeads() != 0) {
      throw new IllegalArgumentException(
          "%d query heads are no multiple of %d KV heads".formatted(queryHeads, kv.kvHeads()));
    }
    int columns = queryHeads * kv.headDim();
    int qkvColumns = columns + 2 * kv.kvHeads() * kv.headDim();
    if (qkv.columns() < qkvColumns || qkv.rows() < plan.rows) {
      throw new IllegalArgumentException(
          "qkv is %d x %d, %d x %d needed"
              .formatted(qkv.rows(), qkv.columns(), plan.rows, qkvColumns));
    }
    if (out.columns() != columns || out.rows() < plan.rows) {
      throw new IllegalArgumentException(
          "out is %d x %d, %d x %d needed"
              .formatted(out.rows(), out.columns(), plan.rows, columns));
    }
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
      lane.scratch.close();
    }
    lanes = new Lane[0];
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
