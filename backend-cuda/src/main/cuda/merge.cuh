// Merge of partial states. A row's last record (in the order of lanes) owns the row: its block waits for the records of the
// other states and merges. All blocks are on the device together, and no signal waits for a merge: no deadlock. The order of
// additions is the same each time.
#pragma once
#include "records.cuh"

// Warps that merge; beside warps that widen, helpers have no registers for it.
constexpr int MERGERS = CONSUMERS + (WIDENERS > 0 ? 0 : HELPERS);

constexpr int QUADS = (HEAD_DIM + 127) / 128;  // four values of a state for each lane, so many times

// Puts a row on the list of owned rows.
__device__ __forceinline__ static void listRow(const Arguments& a, Shared& shared, int at, int row, int start, int states) {
  shared.owned[at][0] = row;
  shared.owned[at][1] = start;
  shared.owned[at][2] = states;
#pragma unroll 1
  for (int base = 0; base < min(states, NEAR_SLOTS); base += MERGE_AT_ONCE) {
#pragma unroll
    for (int j = 0; j < MERGE_AT_ONCE; j++) shared.slots[at][base + j] = a.rowPartial[start + min(base + j, states - 1)];
  }
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

// Four values of a state past the first cache, the vth four of this lane; behind the head's end the last two again.
__device__ __forceinline__ float4 loadFour(const float* o, int v) {
  if constexpr (HEAD_DIM % 4 == 0) return __ldcg(reinterpret_cast<const float4*>(o));
  float2 x = __ldcg(reinterpret_cast<const float2*>(o));
  float2 y = __ldcg(reinterpret_cast<const float2*>(o + (threadIdx.x % 32 * 4 + 128 * v + 2 < HEAD_DIM ? 2 : 0)));
  return make_float4(x.x, x.y, y.x, y.y);
}

// Where the states of a head lie: of slot s, (m, l) at ml + s * mlStride and this lane's values at o + s * oStride (bytes).
struct StatesAt {
  const char *ml, *o[QUADS];
  u32 mlStride, oStride;

  __device__ __forceinline__ StatesAt(const Arguments& a, int head) : mlStride(GROUP * gridDim.y * 8), oStride(GROUP * gridDim.y * HEAD_DIM * 4) {
    ml = reinterpret_cast<const char*>(a.partialMl) + head * 8;
    constexpr int LAST = (HEAD_DIM - 1) / 4 * 4;  // lanes behind it load it as well, for nothing
#pragma unroll
    for (int v = 0; v < QUADS; v++) o[v] = reinterpret_cast<const char*>(a.partialO + head * HEAD_DIM + min(int(threadIdx.x % 32) * 4 + 128 * v, LAST));
  }
};

template <int FROM, int TO>
struct Range {};

// N states of a head on their way to a warp: (m, l) of each, and four values of each for every lane and 128 values.
template <int N>
struct States {
  float2 ml[N];
  float4 o[N][QUADS];

  // Calls f with ranges that cover `count` states. Branches about several of them: a single load under a condition becomes a
  // predicated one, whose value ptxas waits for at once to select it.
  template <class F>
  __device__ __forceinline__ static void ranges(int count, F f) {
    f(Range<0, 3>());
    if (count > 3) f(Range<3, 5>());
    if constexpr (N > 5) {
      if (count > 5) f(Range<5, N>());
    }
  }

  // slot: of state i in lane i, the last one again behind the end.
  __device__ __forceinline__ void load(const StatesAt& at, int slot, int count) {
    ranges(count, [&](auto range) { load(at, slot, range); });
  }

  template <int FROM, int TO>
  __device__ __forceinline__ void load(const StatesAt& at, int slot, Range<FROM, TO>) {
#pragma unroll
    for (int i = FROM; i < TO; i++) {
      u32 state = __shfl_sync(~0u, slot, i);
      ml[i] = __ldcg(reinterpret_cast<const float2*>(at.ml + u64(state) * at.mlStride));
#pragma unroll
      for (int v = 0; v < QUADS; v++) o[i][v] = loadFour(reinterpret_cast<const float*>(at.o[v] + u64(state) * at.oStride), v);
    }
  }
};

// Sum of a head's states so far.
struct Sum {
  float m = -infinity(), l = 0;
  float4 o[QUADS];

  __device__ __forceinline__ Sum() {
#pragma unroll
    for (int v = 0; v < QUADS; v++) o[v] = make_float4(0, 0, 0, 0);
  }

  template <int N>
  __device__ __forceinline__ void add(const Arguments& a, const States<N>& states, int count) {
    float max = m;
    States<N>::ranges(count, [&](auto range) { max = maximum(max, states, range); });
    float reference = max == -infinity() ? 0 : max * a.scale2;
    float old = exp2Fast(m * a.scale2 - reference);
    m = max;
    l *= old;
#pragma unroll
    for (int v = 0; v < QUADS; v++) o[v] = make_float4(o[v].x * old, o[v].y * old, o[v].z * old, o[v].w * old);
    States<N>::ranges(count, [&](auto range) { add(a, states, reference, count, range); });
  }

  template <int N, int FROM, int TO>
  __device__ __forceinline__ static float maximum(float max, const States<N>& states, Range<FROM, TO>) {
#pragma unroll
    for (int i = FROM; i < TO; i++) max = fmaxf(max, states.ml[i].x);
    return max;
  }

  template <int N, int FROM, int TO>
  __device__ __forceinline__ void add(const Arguments& a, const States<N>& states, float reference, int count, Range<FROM, TO>) {
#pragma unroll
    for (int i = FROM; i < TO; i++) {
      float w = i < count ? exp2Fast(states.ml[i].x * a.scale2 - reference) : 0;
      l += w * states.ml[i].y;
#pragma unroll
      for (int v = 0; v < QUADS; v++) {
        o[v].x += w * states.o[i][v].x;
        o[v].y += w * states.o[i][v].y;
        o[v].z += w * states.o[i][v].z;
        o[v].w += w * states.o[i][v].w;
      }
    }
  }
};

// The slot of state base + lane of an owned row, of the last one behind the end.
__device__ __forceinline__ static int slotOf(const Arguments& a, const Shared& shared, int at, int base) {
  int mine = min(base + int(threadIdx.x % 32), shared.owned[at][2] - 1);
  return mine < NEAR_SLOTS ? shared.slots[at][mine] : a.rowPartial[shared.owned[at][1] + mine];
}

// One warp merges one query head of an owned row. HELPER: it has few registers; else more states are on their way while the
// first are added.
template <bool HELPER>
__device__ __forceinline__ static void mergeHead(const Arguments& a, const Shared& shared, int at, int head) {
  constexpr int N = HELPER ? 5 : MERGE_AT_ONCE;
  int lane = threadIdx.x % 32;
  int row = shared.owned[at][0];
  int count = shared.owned[at][2];
  StatesAt from(a, head);
  Sum sum;
  int base = 0;
  if constexpr (!HELPER) {
    States<N> first;
    first.load(from, slotOf(a, shared, at, 0), count);
    if (count > N) {
      States<N> second;
      second.load(from, slotOf(a, shared, at, N), count - N);
      sum.add(a, first, count);
      sum.add(a, second, count - N);
    } else {
      sum.add(a, first, count);
    }
    base = 2 * N;
  }
#pragma unroll 1
  for (; base < count; base += N) {
    States<N> states;
    states.load(from, slotOf(a, shared, at, base), count - base);
    sum.add(a, states, count - base);
  }
  float inverse = sum.l > 0 ? __fdividef(1, sum.l) : 0;
#pragma unroll
  for (int v = 0; v < QUADS; v++) {
    int x = 4 * lane + 128 * v;
    long to = row * a.outStride + long(head) * HEAD_DIM + x;
    if (x < HEAD_DIM) storePair(a, to, sum.o[v].x * inverse, sum.o[v].y * inverse);
    if (x + 2 < HEAD_DIM) storePair(a, to + 2, sum.o[v].z * inverse, sum.o[v].w * inverse);
  }
}

// All rows that this block owns, by the warps 0 .. MERGERS - 1 (`warp`). List and records are ready for the first round.
template <bool HELPER>
__device__ __forceinline__ static void mergeOwned(const Arguments& a, Shared& shared, int warp) {
  for (int round = 0;; round++) {
    groupSync(9, round == 0 ? 32 * (CONSUMERS + HELPERS) : 32 * MERGERS);
    int count = shared.ownedCount;
    for (int i = warp; i < count * GROUP; i += MERGERS) mergeHead<HELPER>(a, shared, i / GROUP, blockIdx.y * GROUP + i % GROUP);
    if (count < OWNED_AT_ONCE) return;
    groupSync(9, 32 * MERGERS);
    if (warp == MERGERS - 1) listOwned(a, shared, (round + 1) * OWNED_AT_ONCE);
  }
}
