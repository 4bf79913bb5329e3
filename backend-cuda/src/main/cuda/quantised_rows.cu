// What else is done with weights that stay quantised: packing, lookup, random weights, all values for products of many rows.
//
// FORMAT: a type of formats.cuh. PRODUCT_TYPE: of the dequantised weights, F16 or BF16 (numbers.cuh).
#include "mix.cuh"
#include "quantised_tiles.cuh"

typedef Tile<FORMAT> Packed;

__device__ __forceinline__ byte* block_of(byte* weights, long row, int blocks, int k) {
  return weights + (row / 16 * blocks + k) * Packed::BYTES;
}

// Blocks as they lie in their file, rows of `blocks` blocks, to tiles from first_row on; *beyond gets mark where fp16 cannot hold a value.
extern "C" __global__ void pack(
    const byte* __restrict__ data,
    int rows,
    int blocks,
    int first_row,
    byte* __restrict__ weights,
    int* __restrict__ beyond,
    int mark) {
  for (long i = blockIdx.x * (long)blockDim.x + threadIdx.x; i < (long)rows * blocks; i += (long)gridDim.x * blockDim.x) {
    long row = i / blocks + first_row;
    const byte* from = data + i * FORMAT::BYTES;
    Packed::pack(from, (int)(row % 16), block_of(weights, row, blocks, (int)(i % blocks)));
    if (PRODUCT_TYPE == F16) {
      for (int j = 0; j < FORMAT::VALUES; j++) {
        if (!(fabsf(FORMAT::value(from, j)) <= 65504.0f)) {
          *beyond = mark;
        }
      }
    }
  }
}

// out[i] = table[tokens[i]] where that row lies in [first_row, first_row + rows), of which weights holds the tiles: one block of threads a row.
extern "C" __global__ void embed(
    const byte* __restrict__ weights,
    int first_row,
    int rows,
    const int* __restrict__ tokens,
    int columns,
    float* __restrict__ out) {
  int row = tokens[blockIdx.x] - first_row;
  if (row < 0 || row >= rows) {
    return;
  }
  const byte* blocks = weights + row / 16 * (long)(columns / FORMAT::VALUES) * Packed::BYTES;
  for (int j = threadIdx.x; j < columns; j += blockDim.x) {
    out[(long)blockIdx.x * columns + j] = Packed::value(blocks + (long)(j / FORMAT::VALUES) * Packed::BYTES, row % 16, j % FORMAT::VALUES);
  }
}

// All rows, out_stride values apart. Eight neighbours a thread.
extern "C" __global__ void dequantise(
    byte* __restrict__ weights,
    int rows,
    int blocks,
    unsigned short* __restrict__ out,
    int out_stride) {
  const int eights = FORMAT::VALUES / 8;
  long count = (long)rows * blocks * eights;
  for (long i = blockIdx.x * (long)blockDim.x + threadIdx.x; i < count; i += (long)gridDim.x * blockDim.x) {
    long row = i / (blocks * eights);
    int part = (int)(i % (blocks * eights));
    const byte* block = block_of(weights, row, blocks, part / eights);
    unsigned short v[8];
#pragma unroll
    for (int j = 0; j < 8; j++) {
      v[j] = narrow<PRODUCT_TYPE>(Packed::value(block, (int)(row % 16), part % eights * 8 + j));
    }
    uint4 packed;
    packed.x = v[0] | v[1] << 16;
    packed.y = v[2] | v[3] << 16;
    packed.z = v[4] | v[5] << 16;
    packed.w = v[6] | v[7] << 16;
    *reinterpret_cast<uint4*>(out + row * out_stride + part * 8) = packed;
  }
}

// Whole tiles of random quants between spread and its negative, for measurements. A warp a block.
extern "C" __global__ void random_tiles(
    unsigned long long seed,
    float spread,
    long count,  // of blocks
    byte* __restrict__ weights) {
  const int small = 8;  // the scale of 6 or 8 bits
  float levels = Packed::EIGHT ? 128 : Packed::OFFSET ? (15 + 16 * (Packed::HIGH == 1)) / 2.0f : Packed::ZERO;
  unsigned short d = narrow<F16>(spread / levels / (Packed::SMALL > 0 ? small : 1));
  unsigned short m = narrow<F16>(Packed::SMALL > 0 ? spread / small : -spread);
  int lane = threadIdx.x % WARP;
  long warps = (long)gridDim.x * blockDim.x / WARP;
  for (long i = (blockIdx.x * (long)blockDim.x + threadIdx.x) / WARP; i < count; i += warps) {
    byte* block = weights + i * Packed::BYTES;
    for (int at = lane * 8; at < Packed::SMALL_AT; at += 8 * WARP) {
      *reinterpret_cast<unsigned long long*>(block + at) = mix(seed + 0x9e3779b97f4a7c15ull * (i * Packed::SMALL_AT + at));
    }
    for (int at = lane; at < Packed::SMALL; at += WARP) {
      block[Packed::SMALL_AT + at] = small;
    }
    for (int at = lane; at < Packed::LARGE / 2; at += WARP) {
      put_half(block + Packed::LARGE_AT + 2 * at, Packed::OFFSET && at % 4 >= 2 ? m : d);
    }
  }
}
