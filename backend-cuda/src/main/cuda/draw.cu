// Tokens and log probabilities from rows of logits; what the host gets back is a few words a row.
// Gangs of blocks take items in turn; a gang's blocks share a row. All blocks run at once.
// The host's sampler is the definition: same filters, same order, same weights to the bit; sums are exact.
#ifndef THREADS
#define THREADS 512
#endif
#include "draw_select.cuh"

// Shared memory: Shared, then the block's values.
constexpr int VALUES_AT = (sizeof(Shared) + 15) / 16 * 16;

__constant__ int draw_shared_bytes = VALUES_AT;
__constant__ int draw_gang_bytes = sizeof(GangMemory);
__constant__ int draw_parts_max = PARTS_MAX;

struct Peak {
  float logit;
  int token;
  bool broken;  // NaN, or no finite largest logit
};

__device__ __forceinline__ u64 peak_key(unsigned key, int token) {
  return (u64)key << 32 | (0xffffffffu - (unsigned)token);
}

// The gang's largest from each lane's.
__device__ inline Peak find_peak(Shared& shared, Gang& gang, u64 best, bool broken) {
  broken = __syncthreads_or(broken);
  for (int step = WARP / 2; step > 0; step /= 2) {
    best = max(best, __shfl_xor_sync(ALL_LANES, best, step));
  }
  if (threadIdx.x % WARP == 0) {
    shared.warp_a[threadIdx.x / WARP] = best;
  }
  __syncthreads();
  Slot mine{0, broken};
  if (threadIdx.x == 0) {
    for (int w = 0; w < WARPS; w++) {
      mine.a = max(mine.a, shared.warp_a[w]);
    }
  }
  exchange(gang, mine, shared.slots);
  best = 0;
  u64 any = 0;
  for (int p = 0; p < gang.parts; p++) {
    best = max(best, shared.slots[p].a);
    any |= shared.slots[p].b;
  }
  Peak peak;
  peak.logit = logit_of((unsigned)(best >> 32));
  peak.token = (int)(0xffffffffu - (unsigned)best);
  peak.broken = any != 0 || !(fabsf(peak.logit) < INFINITE);
  return peak;
}

// Reads the block's part into shared memory, changes it as the item says, and finds the peak.
__device__ __noinline__ Peak load(
    Shared& shared, Gang& gang, const Row& row, bool aligned, const Item& item, const Edit* edits,
    const unsigned* masks) {
  u64 best = 0;
  bool broken = false;
  auto look = [&](int token, float logit) {
    broken |= logit != logit;
    best = max(best, peak_key(key_of(logit), token));
  };
  bool edited = item.biases + item.bans + item.penalties > 0;
  each_raw(row, aligned, [&](int token, float logit) {
    if (item.mask >= 0 && !(masks[item.mask + token / 32] >> (token % 32) & 1)) {
      logit = -INFINITE;
    }
    value_at(row, token) = logit;
    if (!edited) {
      look(token, logit);
    }
  });
  __syncthreads();
  if (edited) {
    edit(row, item, edits, masks);
    each(row, look);
  }
  return find_peak(shared, gang, best, broken);
}

// Weight and ties of each warp's tokens in warp_a and warp_b, of each block's in slots.
__device__ __noinline__ void sum_kept(
    Shared& shared, Gang& gang, const Row& row, float peak, float inverse, Cut cut, bool weights) {
  u64 sum = 0;
  u64 ties = 0;
  each(row, [&](int, float logit) {
    unsigned key = key_of(logit);
    if (key > cut.above) {
      sum += weights ? weight_of(scale(logit, peak, inverse)) : 0;
    } else if (key == cut.above) {
      ties++;
    }
  });
  sum = warp_sum64(sum);
  ties = warp_sum64(ties);
  __syncthreads();  // warp_a and warp_b may still be read
  if (threadIdx.x % WARP == 0) {
    shared.warp_a[threadIdx.x / WARP] = sum;
    shared.warp_b[threadIdx.x / WARP] = ties;
  }
  __syncthreads();
  Slot mine{0, 0};
  if (threadIdx.x == 0) {
    for (int w = 0; w < WARPS; w++) {
      mine.a += shared.warp_a[w];
      mine.b += shared.warp_b[w];
    }
  }
  exchange(gang, mine, shared.slots);
}

// Of count ties, how many remain after so many before.
__device__ __forceinline__ u64 kept_ties(u64 count, u64 before, u64 kept) {
  return before >= kept ? 0 : min(count, kept - before);
}

// The token at which the running sum of weights passes target, in this block's part; before: ties in other parts.
__device__ inline void locate(
    Shared& shared, const Row& row, const Item& item, float peak, Cut cut, u64 tie_weight, u64 target, u64 before,
    int* results) {
  int warp = 0;
  for (; warp < WARPS - 1; warp++) {
    u64 ties = shared.warp_b[warp];
    u64 weight = shared.warp_a[warp] + kept_ties(ties, before, cut.ties) * tie_weight;
    if (target < weight) {
      break;
    }
    target -= weight;
    before += ties;
  }
  int size = warp_tokens(row);
  int from = min(row.end, row.begin + warp * size);
  int to = min(row.end, from + size);
  int own = (to - from + THREADS - 1) / THREADS;
  from = min(to, from + (int)threadIdx.x * own);
  to = min(to, from + own);
  u64 ties = 0;
  u64 total;
  for (int i = from; i < to; i++) {
    ties += key_of(value_at(row, i)) == cut.above;
  }
  before += block_before(ties, shared.warp_a, total);
  u64 sum = 0;
  u64 seen = before;
  auto weight = [&](int token) -> u64 {
    float logit = value_at(row, token);
    unsigned key = key_of(logit);
    if (key == cut.above) {
      return seen++ < cut.ties ? tie_weight : 0;
    }
    return key > cut.above ? weight_of(scale(logit, peak, item.inverse)) : 0;
  };
  for (int i = from; i < to; i++) {
    sum += weight(i);
  }
  u64 start = block_before(sum, shared.warp_b, total);
  if (start <= target && target < start + sum) {
    seen = before;
    u64 at = start;
    for (int i = from; i < to; i++) {
      at += weight(i);
      if (at > target) {
        results[item.result] = i;
        results[item.result + 1] = __float_as_int(row.raw[i]);
        break;
      }
    }
  }
}

__device__ inline void draw_token(
    Shared& shared, Gang& gang, const Row& row, const Item& item, int columns, const Edit* edits,
    const unsigned* masks, int* results) {
  Peak peak = load(shared, gang, row, columns % 4 == 0, item, edits, masks);
  if (peak.broken || item.inverse == 0) {
    if (gang.part == 0 && threadIdx.x == 0) {
      results[item.result] = peak.broken ? -1 : peak.token;
      results[item.result + 1] = peak.broken ? 0 : __float_as_int(row.raw[peak.token]);
    }
    return;
  }
  float least = (float)(peak.logit + item.least);
  least = fminf(fmaxf(least, -3.402823466e38f), peak.logit);
  unsigned floor = key_of(least);
  Cut cut{floor - 1, 0, 0};
  u64 kept = 0;
  if (item.top_k > 0 && item.top_k < columns) {
    cut = select(shared, gang, row, peak.logit, item.inverse, floor,
                 Wanted{false, (u64)item.top_k, 1, item.top_p < 1});
    kept = share_of(item.top_p, cut.mass);
  }
  if (item.top_p < 1) {
    cut = select(shared, gang, row, peak.logit, item.inverse, floor, Wanted{true, kept, item.top_p, true});
  }
  sum_kept(shared, gang, row, peak.logit, item.inverse, cut, true);
  u64 tie_weight = cut.ties > 0 ? weight_of(scale(logit_of(cut.above), peak.logit, item.inverse)) : 0;
  u64 total = 0;
  u64 ties = 0;
  for (int p = 0; p < gang.parts; p++) {
    total += shared.slots[p].a;
    ties += shared.slots[p].b;
  }
  total += min(ties, (u64)cut.ties) * tie_weight;
  u64 target = min((u64)(item.uniform * (double)total), total - 1);
  u64 before = 0;
  for (int p = 0; p < gang.parts; p++) {
    u64 weight = shared.slots[p].a + kept_ties(shared.slots[p].b, before, cut.ties) * tie_weight;
    if (target < weight) {
      if (p == gang.part) {
        locate(shared, row, item, peak.logit, cut, tie_weight, target, before, results);
      }
      break;
    }
    target -= weight;
    before += shared.slots[p].b;
  }
}

// Adds the block's tokens above the cut, and those of its ties that remain, to the gang's list.
__device__ inline void collect(Shared& shared, Gang& gang, const Row& row, Cut cut) {
  u64 before = 0;
  for (int p = 0; p < gang.part; p++) {
    before += shared.slots[p].b;
  }
  for (int w = 0; w < threadIdx.x / WARP; w++) {
    before += shared.warp_b[w];
  }
  int lane = threadIdx.x % WARP;
  for (int i = row.warp_begin; i < row.warp_end; i += WARP) {
    bool present = i + lane < row.warp_end;
    unsigned key = present ? key_of(value_at(row, i + lane)) : 0;
    bool tie = present && key == cut.above;
    unsigned lanes = __ballot_sync(ALL_LANES, tie);
    u64 rank = before + __popc(lanes & ((1u << lane) - 1));
    if (present && (key > cut.above || (tie && rank < cut.ties))) {
      unsigned at = atomicAdd(&gang.memory->listed, 1u);
      __stcg(&gang.memory->list[at], (u64)~key << 32 | (unsigned)(i + lane));
    }
    before += __popc(lanes);
  }
}

// Log of the sum of exponentials, and the likeliest tokens, likeliest first.
__device__ inline void list_tokens(
    Shared& shared, Gang& gang, const Row& row, const Item& item, int columns, int* results) {
  Peak peak = load(shared, gang, row, columns % 4 == 0, item, nullptr, nullptr);
  if (peak.broken) {
    if (gang.part == 0 && threadIdx.x == 0) {
      results[item.result] = -1;
    }
    return;
  }
  unsigned floor = key_of(-INFINITE);
  Cut cut{floor - 1, 0, 0};
  sum_kept(shared, gang, row, peak.logit, 1, cut, true);
  if (gang.part == 0 && threadIdx.x == 0) {
    u64 total = 0;
    for (int p = 0; p < gang.parts; p++) {
      total += shared.slots[p].a;
    }
    results[item.result] = min(item.listed, columns);
    results[item.result + 1] = __float_as_int((float)(peak.logit + log((double)total / (double)ONE)));
  }
  if (item.listed == 0) {
    return;
  }
  if (item.listed < columns) {
    cut = select(shared, gang, row, peak.logit, 1, floor, Wanted{false, (u64)item.listed, 1, false});
  }
  sum_kept(shared, gang, row, peak.logit, 1, cut, false);
  collect(shared, gang, row, cut);
  meet(gang);
  if (gang.part == 0) {
    int count = (int)__ldcg(&gang.memory->listed);
    if (threadIdx.x < count) {
      u64 mine = __ldcg(&gang.memory->list[threadIdx.x]);
      int rank = 0;
      for (int i = 0; i < count; i++) {
        rank += __ldcg(&gang.memory->list[i]) < mine;
      }
      int token = (int)(unsigned)mine;
      results[item.result + 2 + rank] = token;
      results[item.result + 2 + item.listed + rank] = __float_as_int(row.raw[token]);
    }
    __syncthreads();
    if (threadIdx.x == 0) {
      __stcg(&gang.memory->listed, 0u);
    }
  }
}

// Grid (parts, gangs), parts such that the values of one fit. Results: of a draw {token or -1, bits of its logit}; of a list {count or -1,
// bits of the log of the sum, listed tokens, bits of listed logits}.
extern "C" __global__ void __launch_bounds__(THREADS, 1) draw(
    const Item* __restrict__ items,
    int count,
    const float* logits,           // [rows][columns]
    int columns,
    const Edit* __restrict__ edits,
    const unsigned* __restrict__ masks,
    GangMemory* gangs,
    int* results) {
  extern __shared__ __align__(16) unsigned char memory[];
  Shared& shared = *reinterpret_cast<Shared*>(memory);
  Gang gang{gangs + blockIdx.y, (int)gridDim.x, (int)blockIdx.x, 0, 0, -1};
  int part = ((columns + gang.parts - 1) / gang.parts + 3) / 4 * 4;
  for (int i = blockIdx.y; i < count; i += gridDim.y) {
    const Item& item = items[i];
    Row row;
    row.raw = logits + (long)item.row * columns;
    row.values = reinterpret_cast<float*>(memory + VALUES_AT);
    row.begin = min(columns, gang.part * part);
    row.end = min(columns, row.begin + part);
    set_warp(row);
    __syncthreads();  // shared memory may still be read
    if (item.kind == DRAW) {
      draw_token(shared, gang, row, item, columns, edits, masks, results);
    } else {
      list_tokens(shared, gang, row, item, columns, results);
    }
  }
}
