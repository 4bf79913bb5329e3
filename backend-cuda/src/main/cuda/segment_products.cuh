// Matrix products of single warps (mma.sync) with a tile in shared memory: scores q . K, and o += weights . V.
#pragma once
#include "segment.cuh"

// s = q . K of N groups of 8 tokens from group first on.
template <int SPLIT, bool ALONE>
template <int N>
__device__ __forceinline__ void Segment<SPLIT, ALONE>::score(float (&s)[N][4], const Place& at, int first) {
  if constexpr (DIRECT) {
    scoreEight(s, q, at.k, first);
  } else {
    scoreWide(s, at.k, first);
  }
  if constexpr (EIGHT) scaleScores<SCALE_STRIDE>(s, at.keyScales + first * SCALE_STRIDE);
}

// K in 16 bits.
template <int SPLIT, bool ALONE>
template <int N>
__device__ __forceinline__ void Segment<SPLIT, ALONE>::scoreWide(float (&s)[N][4], u32 k, int first) {
#pragma unroll
  for (int i = 0; i < N; i++) {
#pragma unroll
    for (int j = 0; j < 4; j++) s[i][j] = 0;
  }
  u32 b[4];
  if constexpr (N >= 2) {
    u32 from = k + ((first + lane / 16) * UNITS + lane / 8 % 2) * 128 + lane % 8 * 16;
#pragma unroll
    for (int step = 0; step < STEPS; step++) {
#pragma unroll
      for (int i = 0; i < N; i += 2) {
        loadMatrix4(b, from + (i * UNITS + 2 * step) * 128);
        multiply(s[i], q[step], b[0], b[1]);
        multiply(s[i + 1], q[step], b[2], b[3]);
      }
    }
  } else {
    float odd[4] = {0, 0, 0, 0};
    u32 from = k + (first * UNITS + lane / 8) * 128 + lane % 8 * 16;
#pragma unroll
    for (int step = 0; step < STEPS; step += 2) {
      // With an odd number of steps the last load reaches into the next group: inside the stage, not used.
      loadMatrix4(b, from + 2 * step * 128);
      multiply(s[0], q[step], b[0], b[1]);
      if (step + 1 < STEPS) multiply(odd, q[step + 1 < STEPS ? step + 1 : 0], b[2], b[3]);
    }
#pragma unroll
    for (int j = 0; j < 4; j++) s[0][j] += odd[j];
  }
}

// Weights of 16 tokens as an operand.
template <int SPLIT, bool ALONE>
__device__ __forceinline__ void Segment<SPLIT, ALONE>::operand(u32 (&p)[4], const float (&s)[BANDS][4], int step) {
#pragma unroll
  for (int j = 0; j < 4; j++) p[j] = pack(s[2 * step + j / 2][j % 2 * 2], s[2 * step + j / 2][j % 2 * 2 + 1]);
}

// o += p . V for 16 tokens of a tile that has `count`; p holds their weights.
template <int SPLIT, bool ALONE>
__device__ __forceinline__ void Segment<SPLIT, ALONE>::weigh(const u32 (&p)[4], u32 v, int step, int count) {
  if (step * 16 >= count) return;
  if constexpr (DIRECT) {
    weighEight<COLUMNS, STEPS % SPLIT != 0>(o, p, v, step, part * COLUMNS, count - step * 16);
  } else {
    weighWide(p, v, step, count);
  }
}

// V in 16 bits.
template <int SPLIT, bool ALONE>
__device__ __forceinline__ void Segment<SPLIT, ALONE>::weighWide(const u32 (&p)[4], u32 v, int step, int count) {
  u32 from = v + ((2 * step + lane / 8 % 2) * UNITS + part * COLUMNS * 2 + lane / 16) * 128 + lane % 8 * 16;
  bool tail = step * 16 + 16 > count;
#pragma unroll
  for (int c = 0; c < COLUMNS; c++) {
    if (STEPS % SPLIT != 0 && part * COLUMNS + c >= STEPS) break;
    u32 b[4];
    loadMatrix4Transposed(b, from + 2 * c * 128);
    if (tail) clear(b, count - step * 16);
    multiply(o[2 * c], p, b[0], b[1]);
    multiply(o[2 * c + 1], p, b[2], b[3]);
  }
}

// Slots that nobody wrote may hold NaN: 0 times NaN must not get into a sum.
template <int SPLIT, bool ALONE>
__device__ __forceinline__ void Segment<SPLIT, ALONE>::clear(u32 (&b)[4], int count) {
  int token = lane % 4 * 2;
  u32 low = (token < count ? 0xffffu : 0) | (token + 1 < count ? 0xffff0000u : 0);
  u32 high = (token + 8 < count ? 0xffffu : 0) | (token + 9 < count ? 0xffff0000u : 0);
  b[0] &= low;
  b[1] &= high;
  b[2] &= low;
  b[3] &= high;
}
