// Softmax over the tiles of a record, one after the other: scores become weights, and o is corrected where a row's maximum grows.
// Rows of s and of the pairs here are lane / 4 and lane / 4 + 8.
#pragma once
#include "segment.cuh"

// Scores of tokens that do not exist or lie behind the row become -infinity.
template <int SPLIT, bool ALONE>
template <int N>
__device__ __forceinline__ void Segment<SPLIT, ALONE>::hide(float (&s)[N][4], int done, int count, int first) {
#pragma unroll
  for (int i = 0; i < N; i++) {
#pragma unroll
    for (int j = 0; j < 4; j++) {
      int token = (first + i) * 8 + lane % 4 * 2 + j % 2;
      if (token >= count || done + token >= limit[j / 2]) s[i][j] = -infinity();
    }
  }
}

template <int SPLIT, bool ALONE>
template <int N>
__device__ __forceinline__ void Segment<SPLIT, ALONE>::rowMax(const float (&s)[N][4], float (&max)[2]) {
  max[0] = max[1] = -infinity();
#pragma unroll
  for (int i = 0; i < N; i++) {
    max[0] = fmaxf(max[0], fmaxf(s[i][0], s[i][1]));
    max[1] = fmaxf(max[1], fmaxf(s[i][2], s[i][3]));
  }
#pragma unroll
  for (int half = 0; half < 2; half++) {
    max[half] = fmaxf(max[half], __shfl_xor_sync(~0u, max[half], 1));
    max[half] = fmaxf(max[half], __shfl_xor_sync(~0u, max[half], 2));
  }
}

// Scores become weights; max: of this tile's scores, then of all so far. True if it grew in a row: then o must be corrected.
template <int SPLIT, bool ALONE>
template <int N>
__device__ __forceinline__ bool Segment<SPLIT, ALONE>::weights(float (&s)[N][4], float (&max)[2], float (&correction)[2]) {
  float reference[2];
#pragma unroll
  for (int half = 0; half < 2; half++) {
    max[half] = fmaxf(max[half], m[half]);
    reference[half] = max[half] == -infinity() ? 0 : max[half] * a.scale2;
  }
  bool grew = __any_sync(~0u, max[0] != m[0] || max[1] != m[1]);
#pragma unroll
  for (int half = 0; half < 2; half++) {
    correction[half] = exp2Fast(m[half] * a.scale2 - reference[half]);
    l[half] *= correction[half];
    m[half] = max[half];
  }
  float sum[2] = {0, 0};
#pragma unroll
  for (int i = 0; i < N; i++) {
#pragma unroll
    for (int j = 0; j < 4; j++) s[i][j] = exp2Fast(s[i][j] * a.scale2 - reference[j / 2]);
    sum[0] += s[i][0] + s[i][1];
    sum[1] += s[i][2] + s[i][3];
  }
  l[0] += sum[0];
  l[1] += sum[1];
  return grew;
}

// The same for a whole tile, with fewer corrections: exponents are relative to a reference that all tiles share until a score exceeds
// it by so much that a weight would be above 2^8. Then the row's maximum becomes the new one. m holds the reference, so states are
// what they always are. `correction` is set only if o must be corrected.
template <int SPLIT, bool ALONE>
__device__ __forceinline__ bool Segment<SPLIT, ALONE>::lazySoftmax(float (&s)[BANDS][4], Reference& reference, int done, int count,
                                                                   float (&correction)[2]) {
  if (count < TILE || done + TILE > sure) hide(s, done, count, 0);
  float max[2];
#pragma unroll
  for (int half = 0; half < 2; half++) {
    float most[BANDS];
#pragma unroll
    for (int i = 0; i < BANDS; i++) most[i] = fmaxf(s[i][2 * half], s[i][2 * half + 1]);
#pragma unroll
    for (int n = BANDS / 2; n > 0; n /= 2) {
#pragma unroll
      for (int i = 0; i < n; i++) most[i] = fmaxf(most[i], most[i + n]);
    }
    max[half] = most[0];
  }
  bool grew = __any_sync(~0u, max[0] > reference.ceiling[0] || max[1] > reference.ceiling[1]);
  if (grew) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      max[half] = fmaxf(max[half], __shfl_xor_sync(~0u, max[half], 1));
      max[half] = fmaxf(fmaxf(max[half], __shfl_xor_sync(~0u, max[half], 2)), m[half]);
      reference.scaled[half] = max[half] == -infinity() ? 0 : max[half] * a.scale2;
      reference.ceiling[half] = max[half] + reference.slack;
      correction[half] = exp2Fast(m[half] * a.scale2 - reference.scaled[half]);
      l[half] *= correction[half];
      m[half] = max[half];
    }
  }
  float sum[2][2] = {{0, 0}, {0, 0}};
#pragma unroll
  for (int i = 0; i < BANDS; i++) {
#pragma unroll
    for (int j = 0; j < 4; j++) {
      s[i][j] = exp2Fast(s[i][j] * a.scale2 - reference.scaled[j / 2]);
      sum[j / 2][i % 2] += s[i][j];
    }
  }
  l[0] += sum[0][0] + sum[0][1];
  l[1] += sum[1][0] + sum[1][1];
  return grew;
}

// Weights times V's scales, if it has any; true if o must be corrected for that.
template <int SPLIT, bool ALONE>
template <int N>
__device__ __forceinline__ bool Segment<SPLIT, ALONE>::scaleByValues(float (&s)[N][4], const Place& at, int first, int count,
                                                                     float (&correction)[2]) {
  if constexpr (!EIGHT) return false;
  float ratio = unit.template raise<SCALE_STRIDE>(at.valueScales, count);
  scaleWeights<SCALE_STRIDE>(s, at.valueScales + first * SCALE_STRIDE, unit.inverse(), count - first * 8);
  correction[0] *= ratio;
  correction[1] *= ratio;
  return ratio != 1;
}

template <int SPLIT, bool ALONE>
__device__ __forceinline__ void Segment<SPLIT, ALONE>::rescale(const float (&correction)[2]) {
#pragma unroll
  for (int i = 0; i < 2 * COLUMNS; i++) {
#pragma unroll
    for (int j = 0; j < 4; j++) o[i][j] *= correction[j / 2];
  }
}
