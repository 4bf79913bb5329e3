// The ring of stages through which tiles of K and V come: the copying warp fills them, computing warps wait, read and release.
#pragma once
#include "shape.cuh"

// Place of a warp in the ring.
struct Cursor {
  int stage = 0;
  u32 phase = 0;
  __device__ void next() {
    if (++stage == STAGES) {
      stage = 0;
      phase ^= 1;
    }
  }
};

// Until the stage's tile is there.
__device__ __forceinline__ static void awaitTile(Shared& shared, const Cursor& at) { barrierWait(sharedAddress(&shared.full[at.stage]), at.phase); }

__device__ __forceinline__ static u32 keysAt(Shared& shared, const Cursor& at) { return sharedAddress(shared.ring[at.stage]); }

__device__ __forceinline__ static u32 valuesAt(Shared& shared, const Cursor& at) { return keysAt(shared, at) + TILE_BYTES; }

// The stage may be filled anew, as far as this thread goes. Whoever read it by ordinary loads calls readsBeforeCopies() first;
// warpgroup products are no such reads.
__device__ __forceinline__ static void release(Shared& shared, const Cursor& at) { barrierArrive(sharedAddress(&shared.empty[at.stage])); }

// The same for all threads of the warp, by one of them: where only warpgroup products have read the stage.
__device__ __forceinline__ static void releaseByOneLane(Shared& shared, const Cursor& at, int lane) {
  if (lane == 0) barrierArrive(sharedAddress(&shared.empty[at.stage]), 32);
}
