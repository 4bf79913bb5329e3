// Queries of a record: through shared memory where several rows have them, straight to registers for a single row.
#pragma once
#include "segment.cuh"

// Queries of a record of several rows to shared memory, in the KV type.
template <int SPLIT, bool ALONE>
__device__ __forceinline__ void Segment<SPLIT, ALONE>::stageQueries(const Record& r) {
  groupSync(6, 32 * CONSUMERS);  // the score boards may still be read
  int rows = r.rows * GROUP;
  int pieces = (rows + 15) / 16 * 16 * UNITS;
  constexpr int AT_ONCE = 8;
  for (int base = threadIdx.x; base < pieces; base += 32 * CONSUMERS * AT_ONCE) {
    uint4 v[AT_ONCE];
#pragma unroll
    for (int j = 0; j < AT_ONCE; j++) {
      int i = base + 32 * CONSUMERS * j;
      int row = i / UNITS;
      int x = i % UNITS * 8;
      v[j] = make_uint4(0, 0, 0, 0);
      if (row < rows) v[j] = loadEight(a.q + (r.firstRow + row / GROUP) * a.qStride + (blockIdx.y * GROUP + row % GROUP) * HEAD_DIM + x, x);
    }
#pragma unroll
    for (int j = 0; j < AT_ONCE; j++) {
      int i = base + 32 * CONSUMERS * j;
      if constexpr (DIRECT) {
        // Values 4 t .. 4 t + 3 of 16 to where an operand has 2 t, 2 t + 1, 2 t + 8, 2 t + 9.
        unsigned char* to = shared.board.queries[i / UNITS] + i % UNITS / 2 * 32 + i % 2 * 8;
        if (i < pieces) {
          *reinterpret_cast<uint2*>(to) = make_uint2(v[j].x, v[j].z);
          *reinterpret_cast<uint2*>(to + 16) = make_uint2(v[j].y, v[j].w);
        }
      } else {
        if (i < pieces) *reinterpret_cast<uint4*>(shared.board.queries[i / UNITS] + i % UNITS * 16) = v[j];
      }
    }
  }
  groupSync(6, 32 * CONSUMERS);
}

// The band's queries from there, as operands.
template <int SPLIT, bool ALONE>
__device__ __forceinline__ void Segment<SPLIT, ALONE>::loadStaged() {
  u32 from = sharedAddress(shared.board.queries[band * 16 + lane % 16]) + lane / 16 * 16;
#pragma unroll
  for (int k = 0; k < STEPS; k++) loadMatrix4(q[k], from + 32 * k);
}

// The query heads of a single row as operands.
template <int SPLIT, bool ALONE>
__device__ __forceinline__ void Segment<SPLIT, ALONE>::loadQueries(const Io* queries) {
#pragma unroll
  for (int half = 0; half < 2; half++) {
    int row = queryRow(half);
    bool valid = row < GROUP;
    constexpr int WIDTH = DIRECT ? 4 : 2, NEXT = DIRECT ? 2 : 8;  // see scoreEight
    const Io* from = queries + row * HEAD_DIM + lane % 4 * WIDTH;
#pragma unroll
    for (int k = 0; k < STEPS; k++) {
      q[k][half] = valid && 16 * k + lane % 4 * WIDTH < HEAD_DIM ? loadPair(from + 16 * k) : 0;
      q[k][half + 2] = valid && 16 * k + NEXT + lane % 4 * WIDTH < HEAD_DIM ? loadPair(from + 16 * k + NEXT) : 0;
    }
  }
}
