// Products with weights that stay in Q8_0: out = in . w^T for few rows, as fast as the weights can be read.
//
// ROWS8: blocks of 8 rows of in (1 to 4). PRODUCT_TYPE: of in, F16 or BF16 (numbers.cuh).
//
// Weights, packed by pack_q8: tiles of 16 outputs x 32 inputs (a block of Q8_0), [outputs / 16][inputs / 32][32 lanes][16 bytes],
// the bytes in the order in which a lane gives them to two mma.m16n8k16: the sum over k does not care which k is where, so
// 8 neighbours of a row are one lane's, and in can be read as it lies. Scales: [outputs / 16][inputs / 32][8] pairs of half, of
// rows g and g + 8.
//
// A warp works on TILES tiles, a block on WARPS times as many, and on one part of the inputs; the last of the parts' blocks to arrive
// adds them up, in the order of parts. So results repeat bit for bit.
#include "numbers.cuh"

typedef unsigned int u32;

#ifndef TILES
#define TILES 1
#define WARPS 8
#define AHEAD 4  // blocks of inputs in flight
#endif

// Four signed bytes to four values of PRODUCT_TYPE, exactly: x = (bits of 1024 + u or 128 + u) - bias.
__device__ __forceinline__ void widen4(u32 bytes, u32& low, u32& high) {
  if constexpr (PRODUCT_TYPE == F16) {
    u32 u = bytes ^ 0x80808080u;
    u32 a = __byte_perm(u, 0x64646464u, 0x4140);
    u32 b = __byte_perm(u, 0x64646464u, 0x4342);
    asm("sub.f16x2 %0, %1, %2;" : "=r"(low) : "r"(a), "r"(0x64806480u));
    asm("sub.f16x2 %0, %1, %2;" : "=r"(high) : "r"(b), "r"(0x64806480u));
  } else {
    u32 a = __byte_perm(bytes, 0x43434343u, 0x4140);
    u32 b = __byte_perm(bytes, 0x43434343u, 0x4342);
    // 128 + low seven bits, less 128 or, where the sign is set, 256
    asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(low) : "r"(a & 0xff80ff80u), "r"(0xbf80bf80u), "r"(a & 0xff7fff7fu));
    asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(high) : "r"(b & 0xff80ff80u), "r"(0xbf80bf80u), "r"(b & 0xff7fff7fu));
  }
}

__device__ __forceinline__ void multiply(float (&c)[4], const u32 (&a)[4], u32 b0, u32 b1) {
  if constexpr (PRODUCT_TYPE == F16) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  } else {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  }
}

__device__ __forceinline__ uint4 stream(const uint4* at) {  // read once: not kept in L1
  uint4 v;
  asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0,%1,%2,%3}, [%4];" : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w) : "l"(at));
  return v;
}

// A lane's sums: outputs g (first two) and g + 8 of a tile, rows 2t and 2t + 1 of eight.
extern "C" __global__ void __launch_bounds__(32 * WARPS) product_q8(
    const uint4* __restrict__ weights,
    const u32* __restrict__ scales,
    const unsigned short* __restrict__ in,
    int in_stride,  // a multiple of 8
    int blocks,     // of 32 inputs
    int outputs,
    int rows,       // 1 to ROWS8 * 8
    float* __restrict__ out,
    int out_stride,
    int add,
    float* __restrict__ parts,  // [gridDim.y][ROWS8 * 8][gridDim.x * 16 * TILES * WARPS]
    u32* __restrict__ arrivals) {  // [gridDim.x], zero, and left so
  int lane = threadIdx.x % 32;
  int warp = threadIdx.x / 32;
  int g = lane / 4, t = lane % 4;
  int tile = (blockIdx.x * WARPS + warp) * TILES;
  int from = (int)((long)blocks * blockIdx.y / gridDim.y);
  int to = (int)((long)blocks * (blockIdx.y + 1) / gridDim.y);
  float sum[TILES][ROWS8][4] = {};
  int tiles = (outputs + 15) / 16;
  if (tile < tiles) {
    const uint4* x_row[ROWS8];  // of rows behind the last nothing is kept
    for (int r = 0; r < ROWS8; r++) {
      x_row[r] = reinterpret_cast<const uint4*>(in + (long)min(8 * r + g, rows - 1) * in_stride) + t;
    }
    const uint4* w[TILES];
    const u32* s[TILES];
    for (int i = 0; i < TILES; i++) {
      int own = min(tile + i, tiles - 1);
      w[i] = weights + (long)own * blocks * 32 + lane;
      s[i] = scales + (long)own * blocks * 8 + g;
    }
    uint4 quants[AHEAD][TILES];
    u32 scale[AHEAD][TILES];
#pragma unroll
    for (int a = 0; a < AHEAD; a++) {
      for (int i = 0; i < TILES; i++) {
        int k = min(from + a, blocks - 1);
        quants[a][i] = stream(w[i] + k * 32);
        scale[a][i] = __ldg(s[i] + k * 8);
      }
    }
    for (int base = from; base < to; base += AHEAD) {
#pragma unroll
      for (int a = 0; a < AHEAD; a++) {
        int k = base + a;
        if (k < to) {
          uint4 x[ROWS8];
#pragma unroll
          for (int r = 0; r < ROWS8; r++) {
            x[r] = __ldg(x_row[r] + k * 4);
          }
          int next = k + AHEAD;
#pragma unroll
          for (int i = 0; i < TILES; i++) {
            uint4 q = quants[a][i];
            u32 d = scale[a][i];
            if (next < to) {
              quants[a][i] = stream(w[i] + next * 32);
              scale[a][i] = __ldg(s[i] + next * 8);
            }
            u32 first[4], second[4];  // rows g, g + 8 of k = 0..15, 16..31
            widen4(q.x, first[0], first[2]);
            widen4(q.y, first[1], first[3]);
            widen4(q.z, second[0], second[2]);
            widen4(q.w, second[1], second[3]);
            float upper = widen<F16>(d & 0xffff), lower = widen<F16>(d >> 16);
#pragma unroll
            for (int r = 0; r < ROWS8; r++) {
              float c[4] = {};
              multiply(c, first, x[r].x, x[r].y);
              multiply(c, second, x[r].z, x[r].w);
              sum[i][r][0] += c[0] * upper;
              sum[i][r][1] += c[1] * upper;
              sum[i][r][2] += c[2] * lower;
              sum[i][r][3] += c[3] * lower;
            }
          }
        }
      }
    }
  }
  long width = (long)gridDim.x * (16 * TILES * WARPS);
  if (gridDim.y > 1) {
#pragma unroll
    for (int i = 0; i < TILES; i++) {
#pragma unroll
      for (int r = 0; r < ROWS8; r++) {
#pragma unroll
        for (int e = 0; e < 4; e++) {
          int row = 8 * r + 2 * t + (e & 1);
          int column = (tile + i) * 16 + g + (e & 2) * 4;
          __stcg(parts + ((long)blockIdx.y * ROWS8 * 8 + row) * width + column, sum[i][r][e]);
        }
      }
    }
    __threadfence();
    __shared__ bool last;
    __syncthreads();
    if (threadIdx.x == 0) {
      u32 before = atomicAdd(arrivals + blockIdx.x, 1);
      last = before == gridDim.y - 1;
      if (last) {
        arrivals[blockIdx.x] = 0;
      }
    }
    __syncthreads();
    if (!last) {
      return;
    }
    __threadfence();
#pragma unroll
    for (int i = 0; i < TILES; i++) {
#pragma unroll
      for (int r = 0; r < ROWS8; r++) {
#pragma unroll
        for (int e = 0; e < 4; e++) {
          int row = 8 * r + 2 * t + (e & 1);
          int column = (tile + i) * 16 + g + (e & 2) * 4;
          float total = 0;
          for (u32 p = 0; p < gridDim.y; p++) {
            total += __ldcg(parts + ((long)p * ROWS8 * 8 + row) * width + column);
          }
          sum[i][r][e] = total;
        }
      }
    }
  }
#pragma unroll
  for (int i = 0; i < TILES; i++) {
#pragma unroll
    for (int r = 0; r < ROWS8; r++) {
#pragma unroll
      for (int e = 0; e < 4; e++) {
        int row = 8 * r + 2 * t + (e & 1);
        int column = (tile + i) * 16 + g + (e & 2) * 4;
        if (row < rows && column < outputs) {
          float* at = out + (long)row * out_stride + column;
          *at = add ? *at + sum[i][r][e] : sum[i][r][e];
        }
      }
    }
  }
}

// Blocks of Q8_0 as they lie in their file, rows of `blocks` blocks, to tiles; first_row is a row of the tiled weight.
extern "C" __global__ void pack_q8(
    const unsigned char* __restrict__ data,
    int rows,
    int blocks,
    int first_row,
    unsigned char* __restrict__ weights,
    unsigned short* __restrict__ scales) {
  for (long i = blockIdx.x * (long)blockDim.x + threadIdx.x; i < (long)rows * blocks; i += (long)gridDim.x * blockDim.x) {
    int row = (int)(i / blocks) + first_row;
    int k = (int)(i % blocks);
    const unsigned char* block = data + i * 34;
    int tile = row / 16, r = row % 16;
    scales[(((long)tile * blocks + k) * 8 + r % 8) * 2 + r / 8] = (unsigned short)(block[0] | block[1] << 8);
    unsigned char* to = weights + ((long)tile * blocks + k) * 512;
    for (int j = 0; j < 32; j++) {
      // Values 8t .. 8t + 7 belong to lane t of the row's four: first four to the first product.
      int lane = r % 8 * 4 + j / 8;
      int half = j % 8 / 4;             // which of the two products
      int word = half * 2 + r / 8;      // x, y: rows g, g + 8 of the first; z, w of the second
      to[lane * 16 + word * 4 + j % 4] = block[2 + j];
    }
  }
}

// out[i] = table[tokens[i]]: one block of threads a row.
extern "C" __global__ void embed_q8(
    const unsigned char* __restrict__ weights,
    const unsigned short* __restrict__ scales,
    const int* __restrict__ tokens,
    int blocks,
    int columns,
    float* __restrict__ out) {
  int row = tokens[blockIdx.x];
  int tile = row / 16, r = row % 16;
  for (int j = threadIdx.x; j < columns; j += blockDim.x) {
    long at = (long)tile * blocks + j / 32;
    int i = j % 32;
    int lane = r % 8 * 4 + i / 8;
    int word = i % 8 / 4 * 2 + r / 8;
    float q = (float)(signed char)weights[at * 512 + lane * 16 + word * 4 + i % 4];
    float d = widen<F16>(scales[(at * 8 + r % 8) * 2 + r / 8]);
    out[(long)blockIdx.x * columns + j] = __fmul_rn(q, d);
  }
}

// Rows [first, first + count) dequantised, for products of many rows.
extern "C" __global__ void dequantise_q8_tiles(
    const unsigned char* __restrict__ weights,
    const unsigned short* __restrict__ scales,
    int rows,
    int blocks,
    unsigned short* __restrict__ out,
    int out_stride) {
  long count = (long)rows * blocks * 4;  // eight values a thread
  for (long i = blockIdx.x * (long)blockDim.x + threadIdx.x; i < count; i += (long)gridDim.x * blockDim.x) {
    int row = (int)(i / (blocks * 4));
    int part = (int)(i % (blocks * 4));
    int tile = row / 16, r = row % 16;
    long at = (long)tile * blocks + part / 4;
    const unsigned char* from = weights + at * 512 + (r % 8 * 4 + part % 4) * 16 + r / 8 * 4;
    float d = widen<F16>(scales[(at * 8 + r % 8) * 2 + r / 8]);
    unsigned short v[8];
    for (int j = 0; j < 8; j++) {
      v[j] = narrow<PRODUCT_TYPE>(__fmul_rn((float)(signed char)from[j / 4 * 8 + j % 4], d));
    }
    uint4 packed;
    packed.x = v[0] | v[1] << 16;
    packed.y = v[2] | v[3] << 16;
    packed.z = v[4] | v[5] << 16;
    packed.w = v[6] | v[7] << 16;
    *reinterpret_cast<uint4*>(out + (long)row * out_stride + part * 8) = packed;
  }
}
