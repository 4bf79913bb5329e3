// Where K and V lie in device memory; see README.md. Needs HEAD_DIM and CHUNK; KV_EIGHT for 8-bit KV.
#pragma once

#ifndef KV_EIGHT
#define KV_EIGHT 0  // 0: values of 16 or 32 bits; of 8 bits with a scale per token and head: 1 e4m3, 2 int8
#endif

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

// The same in bytes, for what copies tiles; a band is 8 slots.
constexpr int KV_BAND_BYTES = KV_EIGHT ? 8 * PAD_DIM + 32 : 16 * PAD_DIM;
constexpr long KV_TILE_BYTES = long(CHUNK / 8) * KV_BAND_BYTES;

// 8-bit KV. A band: pieces of 8 slots x 16 values (128 bytes), then the slots' scales in fp32.
constexpr int EIGHT_UNITS = PAD_DIM / 16;
constexpr int EIGHT_SCALES = 8 * PAD_DIM;       // bytes before the scales of a band

__device__ __forceinline__ long eightTile(int chunk, int kvHeads, int head, int which) {
  return ((long(chunk) * kvHeads + head) * 2 + which) * KV_TILE_BYTES;
}

__device__ __forceinline__ int eightValue(int slot, int x) { return slot / 8 * KV_BAND_BYTES + x / 16 * 128 + slot % 8 * 16 + x % 16; }

__device__ __forceinline__ int eightScale(int slot) { return slot / 8 * KV_BAND_BYTES + EIGHT_SCALES + slot % 8 * 4; }
