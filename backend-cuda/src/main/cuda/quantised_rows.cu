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

// out[i] = table[tokens[i]] where that row lies in [first_row, first_row + rows), of which weights holds the tiles: one block of threads a
// row, eight inputs a thread.
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
  const byte* tile = weights + row / 16 * (long)(columns / FORMAT::VALUES) * Packed::BYTES;
  for (int i = threadIdx.x; i < columns / 8; i += blockDim.x) {
    int unit = i / 4, t = i % 4;
    float v[8];
    Packed::eight(tile + unit / Packed::UNITS * Packed::BYTES, unit % Packed::UNITS, row % 8 * 4 + t, row / 8 % 2, v);
    float* to = out + (long)blockIdx.x * columns + unit * 32;
    *reinterpret_cast<float4*>(to + Packed::at(t, 0)) = make_float4(v[0], v[1], v[2], v[3]);
    *reinterpret_cast<float4*>(to + Packed::at(t, 4)) = make_float4(v[4], v[5], v[6], v[7]);
  }
}

// All rows, out_stride values apart. A warp a unit of 16 rows and 32 inputs at a time.
extern "C" __global__ void dequantise(
    const byte* __restrict__ weights,
    int rows,
    int blocks,
    unsigned short* __restrict__ out,
    int out_stride) {
  unsigned units = (unsigned)(rows + 15) / 16 * blocks * Packed::UNITS;
  int lane = threadIdx.x % WARP;
  for (unsigned i = (blockIdx.x * blockDim.x + threadIdx.x) / WARP; i < units; i += gridDim.x * blockDim.x / WARP) {
    unsigned block = i / Packed::UNITS;
    int unit = i % Packed::UNITS;
    int row = block / blocks * 16 + lane / 4;
    unsigned short* to = out + (long)row * out_stride + block % blocks * FORMAT::VALUES + unit * 32;
#pragma unroll
    for (int upper = 0; upper < 2; upper++, row += 8, to += 8 * (long)out_stride) {
      if (row < rows) {
        float v[8];
        Packed::eight(weights + (long)block * Packed::BYTES, unit, lane, upper, v);
        if constexpr (Packed::HALVES) {
          narrow4<PRODUCT_TYPE>(make_float4(v[0], v[1], v[2], v[3]), to + Packed::at(lane % 4, 0));
          narrow4<PRODUCT_TYPE>(make_float4(v[4], v[5], v[6], v[7]), to + Packed::at(lane % 4, 4));
        } else {
          narrow8<PRODUCT_TYPE>(v, to + Packed::at(lane % 4, 0));
        }
      }
    }
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
