// One tile: scores, weights and the sum over V, by a warp of its own or by all warps of a band.
#pragma once
#include "segment.cuh"

// Tokens [done, done + count) of the record lie at `at`.
template <int SPLIT, bool ALONE>
__device__ __forceinline__ void Segment<SPLIT, ALONE>::tile(const Place& at, int done, int count, u32 turn) {
  bool cut = count < TILE || done + TILE > sure;
  if constexpr (SPLIT == 1) {
    float s[BANDS][4];
    score(s, at, 0);
    if (cut) hide(s, done, count, 0);
    float max[2], correction[2];
    rowMax(s, max);
    bool grew = weights(s, max, correction);
    grew |= scaleByValues(s, at, 0, count, correction);
    if (grew) rescale(correction);
#pragma unroll
    for (int step = 0; step < BANDS / 2; step++) {
      u32 p[4];
      operand(p, s, step);
      weigh(p, at.v, step, count);
    }
  } else {
    tileByBand(at, done, count, cut, turn);
  }
}

// The warps meet twice: for the maximum of all scores, and when all weights are on the board.
template <int SPLIT, bool ALONE>
__device__ __forceinline__ void Segment<SPLIT, ALONE>::tileByBand(const Place& at, int done, int count, bool cut, u32 turn) {
  Board& b = board(turn);
  bool scores = part * SCORED < BANDS;
  float s[SCORED][4];
  float max[2] = {-infinity(), -infinity()};
  if (scores) {
    score(s, at, part * SCORED);
    if (cut) hide(s, done, count, part * SCORED);
    rowMax(s, max);
  }
  combine(b, max, [](float x, float y) { return fmaxf(x, y); });
  if (!scores) {
#pragma unroll
    for (int i = 0; i < SCORED; i++) s[i][0] = s[i][1] = s[i][2] = s[i][3] = -infinity();
  }
  float correction[2];
  bool grew = weights(s, max, correction);
  grew |= scaleByValues(s, at, scores ? part * SCORED : 0, count, correction);
  if (grew) rescale(correction);
  if (scores) {
    unsigned char* to = b.weights[lane / 4] + (part * SCORED * 8 + lane % 4 * 2) * 2;
#pragma unroll
    for (int i = 0; i < SCORED; i++) {
      *reinterpret_cast<u32*>(to + 16 * i) = pack(s[i][0], s[i][1]);
      *reinterpret_cast<u32*>(to + 16 * i + 8 * WEIGHT_STRIDE) = pack(s[i][2], s[i][3]);
    }
  }
  bandSync();
  u32 from = sharedAddress(b.weights[lane % 16]) + lane / 16 * 16;
#pragma unroll
  for (int step = 0; step < BANDS / 2; step++) {
    u32 p[4];
    loadMatrix4(p, from + 32 * step);
    weigh(p, at.v, step, count);
  }
}

// Combines one number of each warp of the band for rows lane / 4 and lane / 4 + 8.
template <int SPLIT, bool ALONE>
template <class Operation>
__device__ __forceinline__ void Segment<SPLIT, ALONE>::combine(Board& b, float (&x)[2], Operation op) {
  if (lane % 4 == 0) {
    b.numbers[lane / 4][part] = x[0];
    b.numbers[lane / 4 + 8][part] = x[1];
  }
  bandSync();
#pragma unroll
  for (int half = 0; half < 2; half++) {
    const float4* from = reinterpret_cast<const float4*>(b.numbers[lane / 4 + 8 * half]);
    float4 v = from[0];
    if constexpr (SPLIT == 2) {
      x[half] = op(v.x, v.y);
    } else {
      x[half] = op(op(v.x, v.y), op(v.z, v.w));
    }
    if constexpr (SPLIT == 8) {
      float4 w = from[1];
      x[half] = op(x[half], op(op(w.x, w.y), op(w.z, w.w)));
    }
  }
}

template <int SPLIT, bool ALONE>
__device__ __forceinline__ void Segment<SPLIT, ALONE>::bandSync() {
  groupSync(1 + band, 32 * SPLIT);
}

// Two in turn, so that warps may be a tile apart.
template <int SPLIT, bool ALONE>
__device__ __forceinline__ Board& Segment<SPLIT, ALONE>::board(u32 turn) {
  return shared.board.boards[turn][ALONE ? 2 + band : band];
}
