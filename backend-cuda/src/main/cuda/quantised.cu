// Products with weights that stay quantised: out = in . w^T for few rows, as fast as the weights can be read.
//
// FORMAT: a type of formats.cuh; weights are its tiles (quantised_tiles.cuh). ROWS8: blocks of 8 rows of in (1 to 4). PRODUCT_TYPE: of in,
// F16 or BF16 (numbers.cuh). FEW_OUTPUTS: with more warps along the inputs.
//
// An item of work is a group of outputs and a part of the inputs; a block of threads takes every gridDim.x-th. Its warps are ACROSS
// the outputs, TILES tiles each, and ALONG the inputs. Each copies its weights into a ring of its own in shared memory and runs ahead
// of the products, over the ends of items too. Warps along the inputs add their sums there; where a group has several parts, the last
// of their blocks to arrive adds them. Both in a fixed order: results repeat bit for bit.
#include "ptx.cuh"
#include "quantised_tiles.cuh"

typedef Tile<FORMAT> Packed;

#ifndef TILES
#define ACROSS 1
#if ROWS8 == 1
#define TILES 1
#define ALONG 8
#define RESIDENT 3
#elif FEW_OUTPUTS  // no more than a group for each multiprocessor
#define TILES 2
#define ALONG 8
#define RESIDENT 1
#else
#define TILES 2
#define ALONG 4
#define RESIDENT 3
#endif
#endif

// Of a multiprocessor, for two blocks or one.
#if __CUDA_ARCH__ == 800 || __CUDA_ARCH__ == 870
constexpr int SHARED_MOST = 162 * 1024;
#elif __CUDA_ARCH__ < 900 || __CUDA_ARCH__ >= 1200
constexpr int SHARED_MOST = 98 * 1024;
#else
constexpr int SHARED_MOST = 226 * 1024;
#endif

constexpr int WARPS_ALONG = SHARED_MOST < 160 * 1024 ? ALONG / 2 : ALONG;
constexpr int WARPS = ACROSS * WARPS_ALONG;
constexpr int THREADS = WARPS * WARP;
constexpr int ROWS = 8 * ROWS8;
constexpr int COLUMNS = 16 * TILES * ACROSS;  // outputs of an item
constexpr int PITCH = COLUMNS + 4;            // no two lanes of a warp write to one bank
constexpr int STAGE = Packed::UNITS > 1 ? 1 : 4;  // blocks of a tile
constexpr int STAGE_BYTES = TILES * STAGE * Packed::BYTES;
constexpr int MEETING = WARPS_ALONG * ROWS * PITCH * 4;
constexpr int LEAST = 2 * WARPS * STAGE_BYTES + MEETING;
constexpr int BLOCKS = RESIDENT * LEAST <= SHARED_MOST ? RESIDENT : 1;  // on a multiprocessor
constexpr int FIT = (SHARED_MOST / BLOCKS - MEETING) / (WARPS * STAGE_BYTES);
constexpr int STAGES = FIT > 6 ? 6 : FIT;
constexpr int SHARED_BYTES = WARPS * STAGES * STAGE_BYTES + MEETING;
static_assert(STAGES >= 2, "shared memory");

extern "C" __constant__ const int product_threads = THREADS;
extern "C" __constant__ const int product_resident = BLOCKS;
extern "C" __constant__ const int product_columns = COLUMNS;
extern "C" __constant__ const int product_shared_bytes = SHARED_BYTES;

__device__ __forceinline__ void addProduct(float (&c)[4], const u32 (&a)[4], u32 b0, u32 b1) {
  if constexpr (PRODUCT_TYPE == F16) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  } else {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  }
}

// A warp's way through its items: a group of outputs, a part of the inputs, and the blocks [at, to) of them that are the warp's.
struct Walk {
  int groups, parts, blocks, along;
  int group, part, at, to;

  __device__ __forceinline__ Walk(int groups, int parts, int blocks, int along)
      : groups(groups), parts(parts), blocks(blocks), along(along), group(blockIdx.x), part(0) {
    settle();
  }

  __device__ __forceinline__ bool inside() const { return part < parts; }

  __device__ __forceinline__ void next() {
    group += gridDim.x;
    settle();
  }

  __device__ __forceinline__ void settle() {
    while (group >= groups && part < parts) {
      group -= groups;
      part++;
    }
    int from = 0, count = part < parts ? blocks : 0;
    if (parts > 1 && part < parts) {
      from = blocks * part / parts;
      count = blocks * (part + 1) / parts - from;
    }
    at = from + count * along / WARPS_ALONG;
    to = from + count * (along + 1) / WARPS_ALONG;
  }
};

// A stage of the warp's tiles on its way into shared memory.
__device__ __forceinline__ void fetch(u32 to, const byte* from, const long (&tile)[TILES], int count, int lane) {
  const int whole = STAGE * Packed::BYTES;
  int bytes = STAGE == 1 ? whole : count * Packed::BYTES;
#pragma unroll
  for (int i = 0; i < TILES; i++) {
#pragma unroll
    for (int piece = 0; piece < whole; piece += 16 * WARP) {
      if ((STAGE == 1 && piece + 16 * WARP <= whole) || piece + lane * 16 < bytes) {
        copy16(to + i * whole + piece, from + tile[i] + piece);
      }
    }
  }
}

// A lane's sums: outputs g (first two) and g + 8 of a tile, rows 2t and 2t + 1 of eight.
__device__ __forceinline__ void unit(
    float (&sum)[TILES][ROWS8][4], const byte* block, int u, int lane, const unsigned short* const (&in)[ROWS8], long k) {
  const u32 one = PRODUCT_TYPE == F16 ? 0x3c003c00u : 0x3f803f80u;
  const u32 ones[4] = {one, one, one, one};
  u32 x[ROWS8][4];
  float total[ROWS8][4];  // of in
#pragma unroll
  for (int r = 0; r < ROWS8; r++) {
    if (Packed::HALVES) {
      uint2 low = readStill8(in[r] + k);
      uint2 high = readStill8(in[r] + k + 16);
      x[r][0] = low.x, x[r][1] = low.y, x[r][2] = high.x, x[r][3] = high.y;
    } else {
      uint4 all = readStill16(in[r] + k);
      x[r][0] = all.x, x[r][1] = all.y, x[r][2] = all.z, x[r][3] = all.w;
    }
    if (Packed::OFFSET) {
      total[r][0] = total[r][1] = total[r][2] = total[r][3] = 0;
      addProduct(total[r], ones, x[r][0], x[r][1]);
      addProduct(total[r], ones, x[r][2], x[r][3]);
    }
  }
#pragma unroll
  for (int i = 0; i < TILES; i++) {
    u32 a[2][4];
    UnitScale s;
    Packed::operands(block + i * STAGE * Packed::BYTES, u, lane, a);
    Packed::scales(block + i * STAGE * Packed::BYTES, u, lane / 4, s);
#pragma unroll
    for (int r = 0; r < ROWS8; r++) {
      float first[4] = {}, second[4] = {};
      addProduct(first, a[0], x[r][0], x[r][1]);
      addProduct(Packed::HALVES ? second : first, a[1], x[r][2], x[r][3]);
#pragma unroll
      for (int e = 0; e < 4; e++) {
        sum[i][r][e] += first[e] * s.scale[0][e / 2];
        if (Packed::HALVES) {
          sum[i][r][e] += second[e] * s.scale[1][e / 2];
        }
        if (Packed::OFFSET) {
          sum[i][r][e] += total[r][e] * s.offset[e / 2];
        }
      }
    }
  }
}

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS) product(
    const byte* __restrict__ weights,
    const unsigned short* in,
    int in_stride,  // a multiple of 8
    int blocks,     // of FORMAT, of inputs
    int outputs,
    int rows,       // 1 to ROWS
    float* out,
    int out_stride,
    int add,
    int parts,  // of the inputs
    float* sums,       // [groups][parts][ROWS][COLUMNS]
    u32* arrivals) {  // [groups], zero, and left so
  extern __shared__ __align__(128) byte shared[];
  float* meeting = reinterpret_cast<float*>(shared + WARPS * STAGES * STAGE_BYTES);  // [WARPS_ALONG][ROWS][PITCH]
  int lane = threadIdx.x % WARP;
  int warp = uniform(threadIdx.x / WARP);
  int across = warp % ACROSS;
  int along = warp / ACROSS;
  int g = lane / 4, t = lane % 4;
  byte* ring = shared + warp * STAGES * STAGE_BYTES;
  int tiles = (outputs + 15) / 16;
  int groups = (outputs + COLUMNS - 1) / COLUMNS;

  Walk ahead(groups, parts, blocks, along);
  int filled = 0;  // stage of the ring
  u32 ring_at = sharedAddress(ring) + lane * 16;
  long tile[TILES];  // bytes to the tiles that ahead is in, their last ones again behind the last
  auto aim = [&] {
#pragma unroll
    for (int i = 0; i < TILES; i++) {
      tile[i] = (long)min((ahead.group * ACROSS + across) * TILES + i, tiles - 1) * blocks * Packed::BYTES + lane * 16;
    }
  };
  aim();
  auto next = [&] {
    while (ahead.at >= ahead.to && ahead.inside()) {
      ahead.next();
      aim();
    }
    if (ahead.at < ahead.to) {
      fetch(ring_at + filled * STAGE_BYTES, weights + ahead.at * Packed::BYTES, tile, min(STAGE, ahead.to - ahead.at), lane);
      ahead.at += STAGE;
      filled = filled + 1 == STAGES ? 0 : filled + 1;
    }
    asm volatile("cp.async.commit_group;" ::: "memory");
  };
  for (int i = 0; i < STAGES - 1; i++) {
    next();  // weights do not wait for the kernel before
  }
  in = afterPredecessor(in);
  const unsigned short* x[ROWS8];  // of rows behind the last nothing is kept
  for (int r = 0; r < ROWS8; r++) {
    x[r] = in + (long)min(8 * r + g, rows - 1) * in_stride + Packed::at(t, 0);
  }
  int current = 0;
  __shared__ bool last;
  for (Walk walk(groups, parts, blocks, along); walk.inside(); walk.next()) {
    float sum[TILES][ROWS8][4] = {};
    for (; walk.at < walk.to; walk.at += STAGE) {
      asm volatile("cp.async.wait_group %0;" ::"n"(STAGES - 2) : "memory");
      __syncwarp();
      next();  // into the stage that was worked on before
      const byte* stage = ring + current * STAGE_BYTES;
      long k = (long)walk.at * FORMAT::VALUES;
      if constexpr (STAGE == 1) {
#pragma unroll
        for (int u = 0; u < Packed::UNITS; u++) {
          unit(sum, stage, u, lane, x, k + u * 32);
        }
      } else {
        int count = min(STAGE, walk.to - walk.at);
#pragma unroll 4
        for (int b = 0; b < count; b++) {
          unit(sum, stage + b * Packed::BYTES, 0, lane, x, k + b * 32);
        }
      }
      current = current + 1 == STAGES ? 0 : current + 1;
    }
#pragma unroll
    for (int i = 0; i < TILES; i++) {
#pragma unroll
      for (int r = 0; r < ROWS8; r++) {
#pragma unroll
        for (int e = 0; e < 4; e++) {
          int row = 8 * r + 2 * t + (e & 1);
          int column = (across * TILES + i) * 16 + g + (e & 2) * 4;
          meeting[(along * ROWS + row) * PITCH + column] = sum[i][r][e];
        }
      }
    }
    __syncthreads();
    int group = walk.group;
    auto finish = [&](auto total) {
      for (int v = threadIdx.x; v < ROWS * COLUMNS; v += THREADS) {
        int row = v / COLUMNS;
        int column = group * COLUMNS + v % COLUMNS;
        if (row < rows && column < outputs) {
          float* at = out + (long)row * out_stride + column;
          float value = total(v);
          *at = add ? *at + value : value;
        }
      }
    };
    auto own = [&](int v) {
      const float* at = meeting + v / COLUMNS * PITCH + v % COLUMNS;
      float total = 0;
#pragma unroll
      for (int w = 0; w < WARPS_ALONG; w++) {
        total += at[w * ROWS * PITCH];
      }
      return total;
    };
    if (parts == 1) {
      finish(own);
    } else {
      for (int v = threadIdx.x; v < ROWS * COLUMNS; v += THREADS) {
        __stcg(sums + ((long)group * parts + walk.part) * (ROWS * COLUMNS) + v, own(v));
      }
      __threadfence();
      __syncthreads();
      if (threadIdx.x == 0) {
        last = atomicAdd(arrivals + group, 1) == parts - 1;
        if (last) {
          arrivals[group] = 0;
        }
      }
      __syncthreads();
      if (last) {
        __threadfence();
        finish([&](int v) {
          const float* at = sums + (long)group * parts * (ROWS * COLUMNS) + v;
          float total = 0;
          for (int p = 0; p < parts; p++) {
            total += __ldcg(at + (long)p * (ROWS * COLUMNS));
          }
          return total;
        });
      }
    }
    __syncthreads();  // before the next sums
  }
}
