// A block's part of a row of logits, in shared memory.
#pragma once
#include "gang.cuh"

// One thing to do with a row, as the host packs it.
struct Item {
  int row;
  int kind;           // DRAW or LIST
  int top_k;          // 0: all
  int listed;         // LIST: how many of the likeliest
  float inverse;      // 1 / temperature; 0: the likeliest token
  float repetition;   // penalties
  float presence;
  float frequency;
  double top_p;       // 1: all
  double uniform;     // [0, 1)
  double least;       // min-p: logits below the largest + this are out
  int edits;          // where its edits begin
  int biases;         // how many are added,
  int bans;           // then how many are banned,
  int penalties;      // then how many are penalised
  int mask;           // where its mask begins, a bit a token; -1: none
  int result;         // where its result begins
};

#define DRAW 0
#define LIST 1

struct Edit {
  int token;
  int value;  // bias: bits of a float; penalty: times in the output
};

struct Row {
  const float* raw;    // the row, by token
  float* values;       // the block's part of it, as changed
  int begin;           // first token of the part, a multiple of 4
  int end;
  int warp_begin;      // of this warp, a multiple of 4
  int warp_end;
};

__device__ inline int warp_tokens(const Row& row) {
  return ((row.end - row.begin + WARPS - 1) / WARPS + 3) / 4 * 4;
}

__device__ inline void set_warp(Row& row) {
  int each = warp_tokens(row);
  row.warp_begin = min(row.end, row.begin + (int)(threadIdx.x / WARP) * each);
  row.warp_end = min(row.end, row.warp_begin + each);
}

__device__ __forceinline__ float& value_at(const Row& row, int token) {
  return row.values[token - row.begin];
}

// f(token, value) for this lane's share of the warp's tokens.
template <class F>
__device__ __forceinline__ void each(const Row& row, F f) {
  for (int i = row.warp_begin + 4 * (threadIdx.x % WARP); i < row.warp_end; i += 4 * WARP) {
    if (i + 4 <= row.warp_end) {
      float4 v = *(const float4*)&value_at(row, i);
      f(i, v.x);
      f(i + 1, v.y);
      f(i + 2, v.z);
      f(i + 3, v.w);
    } else {
      for (int j = i; j < row.warp_end; j++) {
        f(j, value_at(row, j));
      }
    }
  }
}

// The same, straight from the row's memory, several loads under way at once.
template <class F>
__device__ __forceinline__ void each_raw(const Row& row, bool aligned, F f) {
  constexpr int AHEAD = 4;
  if (!aligned) {
    for (int i = row.warp_begin + threadIdx.x % WARP; i < row.warp_end; i += WARP) {
      f(i, row.raw[i]);
    }
    return;
  }
  for (int i = row.warp_begin + 4 * (threadIdx.x % WARP); i < row.warp_end; i += 4 * WARP * AHEAD) {
    float4 v[AHEAD];
#pragma unroll
    for (int k = 0; k < AHEAD; k++) {
      int at = i + 4 * WARP * k;
      if (at < row.warp_end) {
        v[k] = *(const float4*)(row.raw + at);
      }
    }
#pragma unroll
    for (int k = 0; k < AHEAD; k++) {
      int at = i + 4 * WARP * k;
      if (at < row.warp_end) {
        f(at, v[k].x);
        f(at + 1, v[k].y);
        f(at + 2, v[k].z);
        f(at + 3, v[k].w);
      }
    }
  }
}

// A number whose order is that of the logits; -0 and 0 are one.
__device__ __forceinline__ unsigned key_of(float logit) {
  int bits = __float_as_int(__fadd_rn(logit, 0.0f));
  return (unsigned)(bits ^ ((bits >> 31) & 0x7fffffff)) ^ 0x80000000u;
}

__device__ __forceinline__ float logit_of(unsigned key) {
  int bits = (int)(key ^ 0x80000000u);
  return __int_as_float(bits ^ ((bits >> 31) & 0x7fffffff));
}

// e^x for x <= 0, operation by operation as the host's sampler computes it.
__device__ __forceinline__ float exponential(float x) {
  if (!(x > -87.0f)) {
    return 0.0f;
  }
  float n = __fsub_rn(__fadd_rn(__fmul_rn(x, 1.442695f), 12582912.0f), 12582912.0f);
  float r = __fsub_rn(__fsub_rn(x, __fmul_rn(n, 0.6933594f)), __fmul_rn(n, -2.12194440e-4f));
  float p = 0.00019875691f;
  p = __fadd_rn(__fmul_rn(p, r), 0.0013981999f);
  p = __fadd_rn(__fmul_rn(p, r), 0.008333452f);
  p = __fadd_rn(__fmul_rn(p, r), 0.041665796f);
  p = __fadd_rn(__fmul_rn(p, r), 0.16666666f);
  p = __fadd_rn(__fmul_rn(p, r), 0.5f);
  p = __fadd_rn(__fadd_rn(__fmul_rn(__fmul_rn(p, r), r), r), 1.0f);
  return __fmul_rn(p, __int_as_float(((int)n + 127) << 23));
}

#define ONE 17592186044416.0f  // 2^44: the weight of the likeliest token

// Weights are integers: their sums are exact, in whatever order.
__device__ __forceinline__ u64 weight_of(float scaled) {
  return __float2ull_rn(__fmul_rn(exponential(scaled), ONE));
}

__device__ __forceinline__ float scale(float logit, float peak, float inverse) {
  return __fmul_rn(__fsub_rn(logit, peak), inverse);
}

// Changes the block's tokens as the host's sampler would: biases, bans, penalties.
__device__ inline void edit(const Row& row, const Item& item, const Edit* edits, const unsigned* masks) {
  const Edit* list = edits + item.edits;
  int first = 0;
  for (int kind = 0; kind < 3; kind++) {
    int count = kind == 0 ? item.biases : kind == 1 ? item.bans : item.penalties;
    for (int i = first + threadIdx.x; i < first + count; i += THREADS) {
      int token = list[i].token;
      if (token < row.begin || token >= row.end ||
          (item.mask >= 0 && !(masks[item.mask + token / 32] >> (token % 32) & 1))) {
        continue;
      }
      float& at = value_at(row, token);
      float logit = at;
      if (kind == 0) {
        logit = __fadd_rn(logit, __int_as_float(list[i].value));
      } else if (kind == 1) {
        logit = -INFINITE;
      } else {
        logit = logit > 0 ? __fdiv_rn(logit, item.repetition) : __fmul_rn(logit, item.repetition);
        if (list[i].value > 0) {
          logit = __fsub_rn(
              logit, __fadd_rn(__fmul_rn(item.frequency, (float)list[i].value), item.presence));
        }
      }
      at = logit;
    }
    first += count;
    __syncthreads();
  }
}
