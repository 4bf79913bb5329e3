// Where a row's likeliest tokens end: by histograms over ever narrower ranges, no sorting.
#pragma once
#include "draw_row.cuh"

// The tokens that remain: all with a key over above, and the first ties of those whose key is above.
struct Cut {
  unsigned above;
  unsigned ties;
  u64 mass;  // their weights, where weights were asked for
};

struct Shared {
  unsigned counts[BINS];
  unsigned lows[BINS];   // of the sum of weights
  unsigned highs[BINS];
  u64 warp_a[WARPS];
  u64 warp_b[WARPS];
  Slot slots[PARTS_MAX];
  // The bin where the likeliest tokens end, and what lies above it.
  int bin;
  unsigned bin_count;
  unsigned count_above;
  u64 bin_mass;
  u64 mass_above;
  unsigned bounds[2];
  int found;
};

__device__ __forceinline__ u64 warp_sum64(u64 value) {
  for (int step = WARP / 2; step > 0; step /= 2) {
    value += __shfl_xor_sync(ALL_LANES, value, step);
  }
  return value;
}

// Sums before this thread, in the order of threads; total gets the sum of all.
__device__ inline u64 block_before(u64 value, u64* warps, u64& total) {
  int lane = threadIdx.x % WARP;
  int warp = threadIdx.x / WARP;
  u64 sum = value;
  for (int step = 1; step < WARP; step *= 2) {
    u64 other = __shfl_up_sync(ALL_LANES, sum, step);
    if (lane >= step) {
      sum += other;
    }
  }
  __syncthreads();  // warps may still be read
  if (lane == WARP - 1) {
    warps[warp] = sum;
  }
  __syncthreads();
  u64 before = 0;
  total = 0;
  for (int w = 0; w < WARPS; w++) {
    u64 one = warps[w];
    before += w < warp ? one : 0;
    total += one;
  }
  return before + sum - value;
}

#define FINE 64.0f  // bins of the first histogram per unit of scaled logit

__device__ __forceinline__ int first_bin(float scaled) {
  return min(BINS - 1, (int)__fmul_rn(scaled, -FINE));
}

// The least key from low to high, whose bin is at most bin; high's is.
__device__ inline unsigned least_key(unsigned low, unsigned high, int bin, float peak, float inverse) {
  while (low < high) {
    unsigned middle = low + (high - low) / 2;
    if (first_bin(scale(logit_of(middle), peak, inverse)) <= bin) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return high;
}

__device__ __forceinline__ void count_in(Shared& shared, int bin, u64 weight, bool masses) {
  atomicAdd(&shared.counts[bin], 1u);
  if (masses) {
    unsigned low = (unsigned)weight;
    unsigned old = atomicAdd(&shared.lows[bin], low);
    unsigned high = (unsigned)(weight >> 32) + (old + low < old ? 1 : 0);
    if (high != 0) {
      atomicAdd(&shared.highs[bin], high);
    }
  }
}

// Adds up the blocks' histograms; count and mass get this thread's bins.
__device__ inline void gather_bins(Shared& shared, Gang& gang, bool masses, unsigned* count, u64* mass) {
  constexpr int EACH = BINS / THREADS;
  __syncthreads();
  if (gang.parts == 1) {
    for (int k = 0; k < EACH; k++) {
      int b = threadIdx.x * EACH + k;
      count[k] = shared.counts[b];
      mass[k] = (u64)shared.highs[b] << 32 | shared.lows[b];
    }
    return;
  }
  unsigned* counts = gang.memory->counts[gang.histogram];
  u64* sums = gang.memory->masses[gang.histogram];
  for (int b = threadIdx.x; b < BINS; b += THREADS) {
    if (shared.counts[b] != 0) {
      atomicAdd(&counts[b], shared.counts[b]);
      if (masses) {
        atomicAdd(&sums[b], (u64)shared.highs[b] << 32 | shared.lows[b]);
      }
    }
  }
  meet(gang);
  for (int k = 0; k < EACH; k++) {
    int b = threadIdx.x * EACH + k;
    count[k] = __ldcg(&counts[b]);
    mass[k] = __ldcg(&sums[b]);
  }
  gang.dirty = gang.histogram;
  gang.histogram = (gang.histogram + 1) % HISTOGRAMS;
}

__device__ inline void clear_bins(Shared& shared) {
  __syncthreads();
  for (int b = threadIdx.x; b < BINS; b += THREADS) {
    shared.counts[b] = 0;
    shared.lows[b] = 0;
    shared.highs[b] = 0;
  }
  __syncthreads();
}

// How many tokens of the likeliest are wanted: so many, or those with so much weight.
struct Wanted {
  bool by_mass;
  u64 amount;    // 0 with by_mass: share of all
  double share;
  bool masses;   // weights are wanted in the answer
};

__device__ inline u64 share_of(double share, u64 total) {
  double wanted = ceil(share * (double)total);
  u64 amount = wanted >= (double)total ? total : (u64)wanted;
  return amount < 1 ? 1 : amount;
}

// The cut among tokens with a key from floor on.
__device__ __noinline__ Cut select(
    Shared& shared, Gang& gang, const Row& row, float peak, float inverse, unsigned floor, Wanted wanted) {
  constexpr int EACH = BINS / THREADS;
  bool masses = wanted.by_mass || wanted.masses;
  unsigned low = floor;
  unsigned high = key_of(peak);
  u64 mass_above = 0;
  for (int level = 0;; level++) {
    clear_bins(shared);
    unsigned range = high - low;
    int shift = max(0, 21 - __clz((int)range));  // of 2^11 bins
    unsigned last_count = 0;  // most tokens are in the first histogram's last bin
    u64 last_mass = 0;
    each(row, [&](int, float logit) {
      unsigned key = key_of(logit);
      if (key < low || key > high) {
        return;
      }
      float scaled = scale(logit, peak, inverse);
      u64 weight = masses ? weight_of(scaled) : 0;
      if (wanted.by_mass && weight == 0) {
        return;
      }
      int bin = level == 0 ? first_bin(scaled) : (int)((high - key) >> shift);
      if (level == 0 && bin == BINS - 1) {
        last_count++;
        last_mass += weight;
      } else {
        count_in(shared, bin, weight, masses);
      }
    });
    if (level == 0) {
      last_count = (unsigned)warp_sum64(last_count);
      last_mass = warp_sum64(last_mass);
      if (threadIdx.x % WARP == 0 && last_count != 0) {
        count_in(shared, BINS - 1, last_mass, masses);
        atomicAdd(&shared.counts[BINS - 1], last_count - 1);
      }
    }
    unsigned count[EACH];
    u64 mass[EACH];
    gather_bins(shared, gang, masses, count, mass);
    u64 own_count = 0;
    u64 own_mass = 0;
    for (int k = 0; k < EACH; k++) {
      own_count += count[k];
      own_mass += mass[k];
    }
    u64 all_count, all_mass = 0, before_mass = 0;
    u64 before_count = block_before(own_count, shared.warp_a, all_count);
    if (masses) {
      before_mass = block_before(own_mass, shared.warp_b, all_mass);
    }
    if (level == 0 && wanted.by_mass && wanted.amount == 0) {
      wanted.amount = share_of(wanted.share, all_mass);
    }
    if (level == 0 && !wanted.by_mass && all_count <= wanted.amount) {
      return Cut{floor - 1, 0, all_mass};
    }
    for (int k = 0; k < EACH; k++) {
      u64 before = wanted.by_mass ? before_mass : before_count;
      u64 own = wanted.by_mass ? mass[k] : count[k];
      if (before < wanted.amount && before + own >= wanted.amount) {
        shared.bin = threadIdx.x * EACH + k;
        shared.bin_count = count[k];
        shared.bin_mass = mass[k];
        shared.count_above = (unsigned)before_count;
        shared.mass_above = before_mass;
      }
      before_count += count[k];
      before_mass += mass[k];
    }
    __syncthreads();
    int bin = shared.bin;
    wanted.amount -= wanted.by_mass ? shared.mass_above : shared.count_above;
    mass_above += shared.mass_above;
    if (level == 0) {
      if (threadIdx.x < 2 && bin >= (int)threadIdx.x) {
        shared.bounds[threadIdx.x] = bin - (int)threadIdx.x == BINS - 1
            ? low
            : least_key(low, high, bin - threadIdx.x, peak, inverse);
      }
      __syncthreads();
      low = shared.bounds[0];
      high = bin > 0 ? shared.bounds[1] - 1 : high;
    } else {
      unsigned from = high - ((unsigned)bin << shift);
      unsigned width = 1u << shift;
      low = from - low >= width ? from - width + 1 : low;
      high = from;
    }
    if (shared.bin_count == 1) {
      return Cut{low - 1, 0, mass_above + shared.bin_mass};
    }
    if (low == high) {
      unsigned ties = (unsigned)wanted.amount;
      u64 weight = masses ? weight_of(scale(logit_of(low), peak, inverse)) : 0;
      if (wanted.by_mass) {
        ties = (unsigned)((wanted.amount + weight - 1) / weight);
      }
      return Cut{low, ties, mass_above + ties * weight};
    }
  }
}
