// What a record leaves: the rows' outputs, or their partial states for a merge.
#pragma once
#include "segment.cuh"

template <int SPLIT, bool ALONE>
__device__ __forceinline__ void Segment<SPLIT, ALONE>::store(const Record& r, u32 turn) {
#pragma unroll
  for (int half = 0; half < 2; half++) {
    l[half] += __shfl_xor_sync(~0u, l[half], 1);
    l[half] += __shfl_xor_sync(~0u, l[half], 2);
  }
  if constexpr (SPLIT > 1) combine(board(turn), l, [](float x, float y) { return x + y; });
#pragma unroll
  for (int half = 0; half < 2; half++) {
    int row = queryRow(half);
    if (row < r.rows * GROUP) {
      int head = blockIdx.y * GROUP + row % GROUP;
      int column = part * COLUMNS * 16 + lane % 4 * (DIRECT ? 4 : 2);
      if constexpr (EIGHT) inUnits(half);
      if (r.partial < 0) {
        long to = (r.firstRow + row / GROUP) * a.outStride + head * HEAD_DIM;
        float inverse = l[half] > 0 ? __fdividef(1, l[half]) : 0;
#pragma unroll
        for (int i = 0; i < 2 * COLUMNS; i++) {
          int x = column + (DIRECT ? 16 * (i / 2) + 2 * (i % 2) : 8 * i);
          if (x < HEAD_DIM) storePair(a, to + x, first(i, half) * inverse, second(i, half) * inverse);
        }
      } else {
        long state = long(r.partial + row / GROUP) * heads + head;
        float* to = a.partialO + state * HEAD_DIM;
#pragma unroll
        for (int i = 0; i < 2 * COLUMNS; i++) {
          int x = column + (DIRECT ? 16 * (i / 2) + 2 * (i % 2) : 8 * i);
          if (x < HEAD_DIM) *reinterpret_cast<float2*>(to + x) = make_float2(first(i, half), second(i, half));
        }
        if (part == 0 && lane % 4 == 0) {
          *reinterpret_cast<float2*>(a.partialMl + 2 * state) = make_float2(m[half], l[half]);
        }
      }
    }
  }
}

// The ith pair of neighbouring columns that the thread holds. 8-bit operands have even and odd columns apart.
template <int SPLIT, bool ALONE>
__device__ __forceinline__ float Segment<SPLIT, ALONE>::first(int i, int half) const {
  return DIRECT ? o[i & ~1][2 * half + i % 2] : o[i][2 * half];
}

template <int SPLIT, bool ALONE>
__device__ __forceinline__ float Segment<SPLIT, ALONE>::second(int i, int half) const {
  return DIRECT ? o[i | 1][2 * half + i % 2] : o[i][2 * half + 1];
}

// o in units of 1.
template <int SPLIT, bool ALONE>
__device__ __forceinline__ void Segment<SPLIT, ALONE>::inUnits(int half) {
#pragma unroll
  for (int i = 0; i < 2 * COLUMNS; i++) {
    o[i][2 * half] *= unit.value();
    o[i][2 * half + 1] *= unit.value();
  }
}
