// Where K and V lie in device memory; see README.md. Needs HEAD_DIM and CHUNK.
#pragma once

constexpr int PAD_DIM = (HEAD_DIM + 15) / 16 * 16;
constexpr int UNITS = PAD_DIM / 8;              // pieces of 8 values (16 bytes) in one head
constexpr long TILE_VALUES = long(CHUNK) * PAD_DIM;  // K or V of one head in one chunk

// Values before the K (which = 0) or V (which = 1) tile of a head in a chunk of one layer.
__device__ __forceinline__ long kvTile(int chunk, int kvHeads, int head, int which) {
  return ((long(chunk) * kvHeads + head) * 2 + which) * TILE_VALUES;
}

// Values before value x of a slot inside a tile.
__device__ __forceinline__ int kvOffset(int slot, int x) {
  return (slot / 8 * UNITS + x / 8) * 64 + slot % 8 * 8 + x % 8;
}
