package org.chunkllama.cpu;

import org.chunkllama.plan.AttentionPlan;
import org.jspecify.annotations.Nullable;

/**
 * What the workers read of the call of attention in progress. One instance, refilled by {@link
 * CpuAttention}, which checks everything: a new one per layer would be garbage on the hot path.
 */
final class AttentionCall {
  /** Bytes behind a state's values: m and l, padded to a cache line. */
  private static final int STATE_TAIL_BYTES = 64;

  private @Nullable CpuKvCache cache;
  private @Nullable AttentionPlan plan;
  int layer;

  /** Address of the first row's first query head. */
  long queries;

  long queryRowBytes;
  int queryHeads;
  float scale;
  long out;
  long outRowBytes;

  /** {@code [partials][queryHeads]} attention states: o (d floats), m in units of log 2, l. */
  long states;

  void set(CpuKvCache cache, AttentionPlan plan) {
    this.cache = cache;
    this.plan = plan;
  }

  CpuKvCache cache() {
    if (cache == null) {
      throw new IllegalStateException("no call in progress");
    }
    return cache;
  }

  AttentionPlan plan() {
    if (plan == null) {
      throw new IllegalStateException("no call in progress");
    }
    return plan;
  }

  /** Query heads of a KV head. */
  int group() {
    return queryHeads / cache().layout().kvHeads();
  }

  /** Bytes of an attention state. */
  static int stateBytes(int paddedDim) {
    return Float.BYTES * paddedDim + STATE_TAIL_BYTES;
  }

  /** Address of a state's values; m and l follow them. */
  long state(int slot, int head) {
    return states + ((long) slot * queryHeads + head) * stateBytes(cache().paddedDim());
  }

  long query(int row, int head) {
    return queries + row * queryRowBytes + (long) head * cache().layout().headDim() * Float.BYTES;
  }

  long out(int row, int head) {
    return out + row * outRowBytes + (long) head * cache().layout().headDim() * Float.BYTES;
  }
}
