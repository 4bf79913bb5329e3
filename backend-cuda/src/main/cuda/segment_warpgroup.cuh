// The tiles of a record by Hopper's warpgroup products: 64 query rows at once, K and V read from the stage by the tensor cores.
#pragma once
#include "segment.cuh"

#if WGMMA
// The next tile's scores and this tile's sum over V run while the next weights are computed.
template <int SPLIT, bool ALONE>
__device__ __forceinline__ void Segment<SPLIT, ALONE>::overlapped(const Record& r, Cursor& cursor) {
  float s[BANDS][4];
  u32 p[BANDS / 2][4];
  float correction[2];
  Reference reference(a.scale2);
  awaitTile(shared, cursor);
  scoreGroup(s, keysAt(shared, cursor));
  wgmmaWait<0>();
  settle(s);
  lazySoftmax(s, reference, 0, min(TILE, r.tokens), correction);  // o is still 0
  operands(p, s);
  int done = TILE;
  for (; done < r.tokens; done += TILE) {
    Cursor now = cursor;
    cursor.next();
    awaitTile(shared, cursor);
    scoreGroup(s, keysAt(shared, cursor));
    weighGroup(p, valuesAt(shared, now));
    wgmmaWait<1>();
    settle(s);
    bool grew = lazySoftmax(s, reference, done, min(TILE, r.tokens - done), correction);
    settle(s);
    awaitTile(shared, cursor);  // It is there. But without a loop between them ptxas waits for the sum before it computes the weights.
    wgmmaWait<0>();
    settle(o);
    releaseByOneLane(shared, now, lane);
    if (grew) rescale(correction);
    operands(p, s);
  }
  u32 v = valuesAt(shared, cursor);
  int count = r.tokens - (done - TILE);
  if (count < TILE) clearSlots(v, count);
  weighGroup(p, v);
  wgmmaWait<0>();
  settle(o);
  release(shared, cursor);  // all lanes: they may have written to it
  cursor.next();
}

// s = q . K of a tile, on its way.
template <int SPLIT, bool ALONE>
__device__ __forceinline__ void Segment<SPLIT, ALONE>::scoreGroup(float (&s)[BANDS][4], u32 k) {
  static_assert(TILE == 64, "one product spans a tile");
  loadStaged();  // each time: ptxas 13.0 may lose operands that are kept over the loop
  settle(q);
  settle(s);
  Matrix keys(k, 128, UNITS * 128);
  wgmmaBegin();
#pragma unroll
  for (int step = 0; step < STEPS; step++) wgmma64<0>(s, q[step], keys.at(step * 256), keys.high, step > 0);
  wgmmaCommit();
}

// o += p . V of a tile, on its way.
template <int SPLIT, bool ALONE>
__device__ __forceinline__ void Segment<SPLIT, ALONE>::weighGroup(u32 (&p)[BANDS / 2][4], u32 v) {
  settle(p);
  settle(o);
  Matrix values(v, UNITS * 128, 128);
  wgmmaBegin();
#pragma unroll
  for (int step = 0; step < BANDS / 2; step++) {
    u32 from = 2 * step * UNITS * 128;
    if constexpr (PAD_DIM == 128) {
      wgmma128(o, p[step], values.at(from), values.high);
    } else {
      constexpr int WIDE = PAD_DIM / 64;
#pragma unroll
      for (int c = 0; c < WIDE; c++) wgmma64<1>(o + 8 * c, p[step], values.at(from + c * 1024), values.high, 1);
#pragma unroll
      for (int c = WIDE * 4; c < STEPS; c++) wgmma16(o + 2 * c, p[step], values.at(from + c * 256), values.high);
    }
  }
  wgmmaCommit();
}

// A tile's weights as operands.
template <int SPLIT, bool ALONE>
__device__ __forceinline__ void Segment<SPLIT, ALONE>::operands(u32 (&p)[BANDS / 2][4], const float (&s)[BANDS][4]) {
#pragma unroll
  for (int step = 0; step < BANDS / 2; step++) operand(p[step], s, step);
}

// As clear(), in the stage itself, from token count to the end of the tile.
template <int SPLIT, bool ALONE>
__device__ __forceinline__ void Segment<SPLIT, ALONE>::clearSlots(u32 v, int count) {
  for (int i = threadIdx.x % 128; i < (TILE - count) * UNITS; i += 128) {
    int slot = count + i / UNITS;
    u32 at = v + (slot / 8 * UNITS + i % UNITS) * 128 + slot % 8 * 16;
    asm volatile("st.shared.v4.b32 [%0], {%1,%1,%1,%1};" ::"r"(at), "r"(0) : "memory");
  }
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
  groupSync(7 + threadIdx.x / 128, 128);
}
#endif
