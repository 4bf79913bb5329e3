// Tiles of 8-bit K and V to 16 bits in shared memory, for products of many query rows: by the computing warps themselves, or by warps
// of their own.
#pragma once
#include "records.cuh"
#include "ring.cuh"
#include "segment_eight.cuh"

// A tile of K or V in the stage at address `from` to 16 bits, by WARPS warps of which this is thread `thread`; slots from `count` on
// become 0.
template <int WARPS>
__device__ __forceinline__ static void widenTile(unsigned char* to, u32 from, int count, int thread) {
  constexpr int PIECES = TILE * EIGHT_UNITS;  // of 16 values
  constexpr int EACH = (PIECES + 32 * WARPS - 1) / (32 * WARPS);
  u32 values = sharedAddress(to);
#pragma unroll
  for (int j = 0; j < EACH; j++) {
    int i = thread + 32 * WARPS * j;
    if (PIECES % (32 * WARPS) != 0 && i >= PIECES) break;
    int band = i / (8 * EIGHT_UNITS);
    int unit = i / 8 % EIGHT_UNITS;
    uint4 x, low, high;
    asm volatile("ld.shared.v4.b32 {%0,%1,%2,%3}, [%4];" : "=r"(x.x), "=r"(x.y), "=r"(x.z), "=r"(x.w)
                 : "r"(from + band * KV_BAND_BYTES + unit * 128 + i % 8 * 16) : "memory");
    widenFour<false>(x.x, low.x, low.y);
    widenFour<false>(x.y, low.z, low.w);
    widenFour<false>(x.z, high.x, high.y);
    widenFour<false>(x.w, high.z, high.w);
    if (band * 8 + i % 8 >= count) low = high = make_uint4(0, 0, 0, 0);
    u32 at = values + (band * UNITS + 2 * unit) * 128 + i % 8 * 16;
    asm volatile("st.shared.v4.b32 [%0], {%1,%2,%3,%4};" ::"r"(at), "r"(low.x), "r"(low.y), "r"(low.z), "r"(low.w) : "memory");
    asm volatile("st.shared.v4.b32 [%0], {%1,%2,%3,%4};" ::"r"(at + 128), "r"(high.x), "r"(high.y), "r"(high.z), "r"(high.w) : "memory");
  }
}

// K of a tile as above, and the scales of both K and V: these are wanted before V itself.
template <int WARPS>
__device__ __forceinline__ static void widenKeys(WideTiles& to, int place, u32 stage, int count, int thread) {
  widenTile<WARPS>(to.k[place], stage, count, thread);
  if (thread < TILE) {
    int token = thread % (TILE / 2) * 2;
    bool value = thread >= TILE / 2;
    float2 s = loadFloats(stage + (value ? TILE_BYTES : 0) + EIGHT_SCALES + token / 8 * KV_BAND_BYTES + token % 8 * 4);
    float* scales = (value ? to.valueScales : to.keyScales)[place];
    scales[token] = token < count ? s.x : 0;
    scales[token + 1] = token + 1 < count ? s.y : 0;
  }
}

// K and V of one tile to 16 bits, for products of single warps. All computing warps make the same calls.
__device__ __forceinline__ static void widenStage(Shared& shared, Cursor& cursor, int count) {
  awaitTile(shared, cursor);
  widenKeys<CONSUMERS>(shared.wide(), 0, keysAt(shared, cursor), count, threadIdx.x);
  widenTile<CONSUMERS>(shared.wide().v[0], valuesAt(shared, cursor), count, threadIdx.x);
  readsBeforeCopies();
  release(shared, cursor);
  cursor.next();
  groupSync(6, 32 * CONSUMERS);
}

// ---- for warpgroup products, warps of their own widen tiles, K and V each to WIDE_TILES places in turn. Tiles are numbered over all
// records that have such products.
__device__ __forceinline__ static void wideWait(const u64 (&bars)[WIDE_TILES], u32 number) {
  barrierWait(sharedAddress(&bars[number % WIDE_TILES]), number / WIDE_TILES % 2);
}

__device__ __forceinline__ static void wideArrive(const u64 (&bars)[WIDE_TILES], u32 number) {
  barrierArrive(sharedAddress(&bars[number % WIDE_TILES]));
}

__device__ __forceinline__ static void initWidening(Shared& shared) {
  WideTiles& tiles = shared.wide();
  for (int i = 0; i < WIDE_TILES; i++) {
    barrierInit(sharedAddress(&tiles.keysFull[i]), 32 * WIDENERS);
    barrierInit(sharedAddress(&tiles.valuesFull[i]), 32 * WIDENERS);
    barrierInit(sharedAddress(&tiles.keysEmpty[i]), 32 * CONSUMERS);
    barrierInit(sharedAddress(&tiles.valuesEmpty[i]), 32 * CONSUMERS);
  }
}

// Written tiles become visible to warpgroup products.
__device__ __forceinline__ static void wideFull(const u64 (&bars)[WIDE_TILES], u32 number) {
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
  wideArrive(bars, number);
}

// The widening warps: all records, of which most are nothing to them.
__device__ __forceinline__ static void widenRecords(const Arguments& a, Shared& shared) {
  constexpr int WARPS = WIDENERS > 0 ? WIDENERS : 1;
  WideTiles& tiles = shared.wide();
  int thread = threadIdx.x - BASE_THREADS;
  Cursor cursor;
  u32 number = 0;
  for (int i = 0;; i++) {
    Record r = loadRecord(a, shared, i);
    if (r.tokens == 0) return;
    bool wide = r.rows > 1 && r.rows * GROUP > 32;
    for (int done = 0; done < r.tokens; done += TILE, cursor.next()) {
      awaitTile(shared, cursor);
      if (wide) {
        int count = min(TILE, r.tokens - done);
        u32 before = number + WIDE_TILES;  // with the parity of the round before; the first one finds its places empty
        wideWait(tiles.keysEmpty, before);
        widenKeys<WARPS>(tiles, number % WIDE_TILES, keysAt(shared, cursor), count, thread);
        wideFull(tiles.keysFull, number);
        wideWait(tiles.valuesEmpty, before);
        widenTile<WARPS>(tiles.v[number % WIDE_TILES], valuesAt(shared, cursor), count, thread);
        wideFull(tiles.valuesFull, number);  // with the fence that the stage's release needs
        number++;
      }
      release(shared, cursor);
    }
  }
}
