// Warpgroup products with 8-bit KV: over tiles that the widening warps turn into 16 bits (widen.cuh). The stages of the ring
// are followed, but not read.
#pragma once
#include "segment.cuh"

#if WGMMA
// As overlapped(), over widened tiles. wide: number of the first.
template <int SPLIT, bool ALONE>
__device__ __forceinline__ void Segment<SPLIT, ALONE>::overlappedEight(const Record& r, Cursor& cursor, u32& wide) {
  float s[BANDS][4];
  u32 p[BANDS / 2][4];
  float correction[2];
  WideTiles& tiles = shared.wide();
  nextTile(cursor, wide);
  scoreGroup(s, sharedAddress(tiles.k[wide % WIDE_TILES]));
  wgmmaWait<0>();
  settle(s);
  scaledSoftmax(s, wide, 0, min(TILE, r.tokens), correction);  // o is still 0
  operands(p, s);
  for (int done = TILE; done < r.tokens; done += TILE) {
    nextTile(cursor, wide + 1);
    scoreGroup(s, sharedAddress(tiles.k[(wide + 1) % WIDE_TILES]));
    wideWait(tiles.valuesFull, wide);
    weighGroup(p, sharedAddress(tiles.v[wide % WIDE_TILES]));
    wgmmaWait<1>();
    settle(s);
    bool grew = scaledSoftmax(s, wide + 1, done, min(TILE, r.tokens - done), correction);
    settle(s);
    wideWait(tiles.valuesFull, wide);  // as in overlapped()
    wgmmaWait<0>();
    settle(o);
    wideArrive(tiles.valuesEmpty, wide);
    wide++;
    if (grew) rescale(correction);
    operands(p, s);
  }
  wideWait(tiles.valuesFull, wide);
  weighGroup(p, sharedAddress(tiles.v[wide % WIDE_TILES]));
  wgmmaWait<0>();
  settle(o);
  wideArrive(tiles.valuesEmpty, wide);
  wide++;
}

// As pass(), over widened tiles.
template <int SPLIT, bool ALONE>
__device__ __forceinline__ void Segment<SPLIT, ALONE>::passEight(const Record& r, Cursor& cursor, u32& wide) {
  for (int done = 0; done < r.tokens; done += TILE, wide++) {
    nextTile(cursor, wide);
    wideArrive(shared.wide().keysEmpty, wide);
    wideWait(shared.wide().valuesFull, wide);
    wideArrive(shared.wide().valuesEmpty, wide);
  }
}

// K of a tile is there in 16 bits; the stage itself is not wanted.
template <int SPLIT, bool ALONE>
__device__ __forceinline__ void Segment<SPLIT, ALONE>::nextTile(Cursor& cursor, u32 number) {
  wideWait(shared.wide().keysFull, number);
  awaitTile(shared, cursor);
  release(shared, cursor);
  cursor.next();
}

// Softmax with the scales of K and V; K's place is then free.
template <int SPLIT, bool ALONE>
__device__ __forceinline__ bool Segment<SPLIT, ALONE>::scaledSoftmax(float (&s)[BANDS][4], u32 number, int done, int count, float (&correction)[2]) {
  WideTiles& tiles = shared.wide();
  scaleScores<SCALE_STRIDE>(s, sharedAddress(tiles.keyScales[number % WIDE_TILES]));
  if (count < TILE || done + TILE > sure) hide(s, done, count, 0);
  float max[2];
  rowMax(s, max);
  bool grew = weights(s, max, correction);
  grew |= scaleByValues(s, Place{0, 0, 0, sharedAddress(tiles.valueScales[number % WIDE_TILES])}, 0, count, correction);
  wideArrive(tiles.keysEmpty, number);
  return grew;
}
#endif
