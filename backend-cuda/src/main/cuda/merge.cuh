// Merge of partial states. A row's last record (in the order of lanes) owns the row: its block waits for the records of the
// other states and merges. It waits for blocks of lower index only, which have begun before it: no deadlock, and the same
// order of additions each time.
#pragma once
#include "shape.cuh"

// Warps that merge; beside warps that widen, helpers have no registers for it.
constexpr int MERGERS = CONSUMERS + (WIDENERS > 0 ? 0 : HELPERS);

struct Record {
  int firstRow, rows, firstToken, flags, partial, chunkStart, tokens;
};

// All fields by one load of the warp; tokens = 0 behind the last record.
__device__ __forceinline__ static Record loadRecord(const Arguments& a, const Shared& shared, int i) {
  int lane = threadIdx.x % 32;
  int value = 0;
  if (i < NEAR_RECORDS) {
    value = lane < 8 ? shared.records[i][lane] : lane == 8 ? shared.lengths[i] : 0;
  } else if (i < a.recordCap) {
    long at = long(blockIdx.x) * a.recordCap + i;
    value = lane < 8 ? a.records[at * RECORD + lane] : lane == 8 ? a.lengths[at] : 0;
  }
  Record r;
  r.firstRow = __shfl_sync(~0u, value, 0);
  r.rows = __shfl_sync(~0u, value, 1);
  r.firstToken = __shfl_sync(~0u, value, 2);
  r.flags = __shfl_sync(~0u, value, 3);
  r.partial = __shfl_sync(~0u, value, 4);
  r.chunkStart = __shfl_sync(~0u, value, 5);
  r.tokens = __shfl_sync(~0u, value, 8);
  return r;
}

__device__ __forceinline__ int* readyFlag(const Arguments& a, long record) { return a.ready + READY_HEAD + record * gridDim.y + blockIdx.y; }

__device__ __forceinline__ int acquire(const int* p) {
  int x;
  asm volatile("ld.acquire.gpu.global.b32 %0, [%1];" : "=r"(x) : "l"(p) : "memory");
  return x;
}

// One warp tells other blocks which records are complete.
__device__ __forceinline__ static void signalRecords(const Arguments& a, Shared& shared) {
  int lane = threadIdx.x % 32;
  for (int i = 0;; i++) {
    Record r = loadRecord(a, shared, i);
    if (r.tokens == 0) return;
    if ((r.flags & SIGNAL) == 0) continue;
    while (!__all_sync(~0u, lane >= CONSUMERS || atomicAdd(&shared.done[lane % CONSUMERS], 0) > i)) __nanosleep(20);
    __threadfence();
    __syncwarp();
    if (lane == 0) {
      *reinterpret_cast<volatile int*>(readyFlag(a, long(blockIdx.x) * a.recordCap + i)) = shared.epoch;
    }
    __syncwarp();
  }
}

// One warp waits until the records that this block's rows need are complete.
__device__ __forceinline__ static void awaitRecords(const Arguments& a, const Shared& shared) {
  for (int i = threadIdx.x % 32; i < a.waitCap; i += 32) {
    int record = a.waits[long(blockIdx.x) * a.waitCap + i];
    if (record < 0) break;
    const int* flag = readyFlag(a, record);
    while (acquire(flag) != shared.epoch) {
    }
  }
  __syncwarp();
}

// Puts a row on the list of owned rows.
__device__ __forceinline__ static void listRow(const Arguments& a, Shared& shared, int at, int row, int start, int states) {
  shared.owned[at][0] = row;
  shared.owned[at][1] = start;
  shared.owned[at][2] = states;
#pragma unroll
  for (int j = 0; j < MERGE_AT_ONCE; j++) shared.slots[at][j] = a.rowPartial[start + min(j, states - 1)];
}

// One warp lists the rows that this block owns, from the `skip`th on.
__device__ __forceinline__ static void listOwned(const Arguments& a, Shared& shared, int skip) {
  int lane = threadIdx.x % 32;
  u32 below = (1u << lane) - 1;
  int count = -skip;
  for (int base = 0; base < a.recordCap && count < OWNED_AT_ONCE; base += 32) {
    int i = base + lane;
    bool there = i < a.recordCap;
    const int* record = there && i < NEAR_RECORDS ? shared.records[i] : a.records + (long(blockIdx.x) * a.recordCap + min(i, a.recordCap - 1)) * RECORD;
    int tokens = !there ? 0 : i < NEAR_RECORDS ? shared.lengths[i] : a.lengths[long(blockIdx.x) * a.recordCap + i];
    bool owner = tokens > 0 && (record[3] & OWNER) != 0;
    bool single = owner && record[1] == 1;
    u32 all = __ballot_sync(~0u, single);
    int at = count + __popc(all & below);
    if (single && at >= 0 && at < OWNED_AT_ONCE) {
      int start = a.rowPartialStart[record[0]];
      listRow(a, shared, at, record[0], start, a.rowPartialStart[record[0] + 1] - start);
    }
    count += __popc(all);
    for (u32 wide = __ballot_sync(~0u, owner && !single); wide != 0; wide &= wide - 1) {
      Record r = loadRecord(a, shared, base + __ffs(wide) - 1);
      for (int first = 0; first < r.rows; first += 32) {
        bool mine = first + lane < r.rows;
        int row = r.firstRow + first + lane;
        int start = mine ? a.rowPartialStart[row] : 0;
        int states = mine ? a.rowPartialStart[row + 1] - start : 0;
        if (mine && (r.flags & SIGNAL) != 0) mine = a.rowPartial[start + states - 1] == r.partial + first + lane;
        u32 owned = __ballot_sync(~0u, mine);
        int to = count + __popc(owned & below);
        if (mine && to >= 0 && to < OWNED_AT_ONCE) listRow(a, shared, to, row, start, states);
        count += __popc(owned);
      }
    }
  }
  if (lane == 0) shared.ownedCount = max(0, min(count, OWNED_AT_ONCE));
}

// One warp merges one query head of an owned row; all loads of MERGE_AT_ONCE states are in flight together.
__device__ __forceinline__ static void mergeHead(const Arguments& a, const Shared& shared, int at, int head) {
  constexpr int PAIRS = (HEAD_DIM + 63) / 64;  // pairs of values of each thread
  int lane = threadIdx.x % 32;
  int heads = GROUP * gridDim.y;
  int row = shared.owned[at][0];
  int count = shared.owned[at][2];
  int slot = shared.slots[at][lane % MERGE_AT_ONCE];
  float m = -infinity(), l = 0;
  float2 sum[PAIRS];
#pragma unroll
  for (int v = 0; v < PAIRS; v++) sum[v] = make_float2(0, 0);
  for (int base = 0; base < count; base += MERGE_AT_ONCE) {
    float2 ml[MERGE_AT_ONCE], o[MERGE_AT_ONCE][PAIRS];
#pragma unroll
    for (int i = 0; i < MERGE_AT_ONCE; i++) {
      long state = long(__shfl_sync(~0u, slot, i)) * heads + head;
      ml[i] = make_float2(-infinity(), 0);
#pragma unroll
      for (int v = 0; v < PAIRS; v++) o[i][v] = make_float2(0, 0);
      if (base + i < count) {
        ml[i] = __ldcg(reinterpret_cast<const float2*>(a.partialMl) + state);
#pragma unroll
        for (int v = 0; v < PAIRS; v++) {
          o[i][v] = __ldcg(reinterpret_cast<const float2*>(a.partialO + state * HEAD_DIM + min(2 * lane + 64 * v, HEAD_DIM - 2)));
        }
      }
    }
    int next = base + MERGE_AT_ONCE;
    if (next < count) slot = a.rowPartial[shared.owned[at][1] + min(next + lane % MERGE_AT_ONCE, count - 1)];
    float max = m;
#pragma unroll
    for (int i = 0; i < MERGE_AT_ONCE; i++) max = fmaxf(max, ml[i].x);
    float reference = max == -infinity() ? 0 : max * a.scale2;
    float old = exp2Fast(m * a.scale2 - reference);
    m = max;
    l *= old;
#pragma unroll
    for (int v = 0; v < PAIRS; v++) sum[v] = make_float2(sum[v].x * old, sum[v].y * old);
#pragma unroll
    for (int i = 0; i < MERGE_AT_ONCE; i++) {
      float w = exp2Fast(ml[i].x * a.scale2 - reference);
      l += w * ml[i].y;
#pragma unroll
      for (int v = 0; v < PAIRS; v++) {
        sum[v].x += w * o[i][v].x;
        sum[v].y += w * o[i][v].y;
      }
    }
  }
  float inverse = l > 0 ? __fdividef(1, l) : 0;
#pragma unroll
  for (int v = 0; v < PAIRS; v++) {
    int x = 2 * lane + 64 * v;
    if (x < HEAD_DIM) storePair(a, row * a.outStride + long(head) * HEAD_DIM + x, sum[v].x * inverse, sum[v].y * inverse);
  }
}

// All rows that this block owns, by the warps 0 .. MERGERS - 1 (`warp`). List and records are ready for the first round.
__device__ __forceinline__ static void mergeOwned(const Arguments& a, Shared& shared, int warp) {
  for (int round = 0;; round++) {
    groupSync(9, round == 0 ? 32 * (CONSUMERS + HELPERS) : 32 * MERGERS);
    int count = shared.ownedCount;
    for (int i = warp; i < count * GROUP; i += MERGERS) mergeHead(a, shared, i / GROUP, blockIdx.y * GROUP + i % GROUP);
    if (count < OWNED_AT_ONCE) return;
    groupSync(9, 32 * MERGERS);
    if (warp == MERGERS - 1) listOwned(a, shared, (round + 1) * OWNED_AT_ONCE);
  }
}
