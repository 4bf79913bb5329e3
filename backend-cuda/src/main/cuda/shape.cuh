// Constants of one compiled attention kernel, and where things lie in shared memory.
#pragma once
#include "kv_layout.cuh"
#include "ptx.cuh"
#include "wgmma.cuh"

#if __CUDA_ARCH__ == 800 || __CUDA_ARCH__ == 870
constexpr int SHARED_BUDGET = 163 * 1024;
#elif __CUDA_ARCH__ == 900 || __CUDA_ARCH__ == 1000 || __CUDA_ARCH__ == 1030
constexpr int SHARED_BUDGET = 227 * 1024;
#else
constexpr int SHARED_BUDGET = 99 * 1024;
#endif

// Tokens of one stage of the ring: less where two stages would not fit.
constexpr int TILE = SHARED_BUDGET < 120 * 1024 ? (HEAD_DIM > 128 ? 16 : 32) : SHARED_BUDGET < 200 * 1024 && HEAD_DIM > 128 ? 32 : 64;
constexpr int ROW_CAP = HEAD_DIM <= 128 ? 128 : 64;         // query rows of one record
constexpr int CONSUMERS = 8;                                // warps that compute
constexpr int HELPERS = 3;                                  // warps that signal, wait and list rows to merge
constexpr int BASE_THREADS = 32 * (CONSUMERS + 1 + HELPERS);  // of all these and the copying warp; widening warps come behind
constexpr int STEPS = PAD_DIM / 16;                         // matrix steps along a head
constexpr int BANDS = TILE / 8;                             // groups of 8 tokens in a tile
constexpr int RECORD = 16;                                  // ints of a record
constexpr int NEAR_RECORDS = 96;                            // records kept in shared memory
constexpr int OWNED_AT_ONCE = 128;                           // rows in a round of merges
constexpr int MERGE_AT_ONCE = HEAD_DIM > 128 ? 5 : 9;        // states that a warp loads together
constexpr int NEAR_SLOTS = 2 * MERGE_AT_ONCE;                // slots of an owned row's states kept in shared memory
constexpr int INLINE_CHUNKS = 8;                            // chunk ids inside a record

#ifndef OUT_F32
#define OUT_F32 IO_F32
#endif

#if IO_F32
typedef float Io;  // of q
#else
typedef unsigned short Io;
#endif

#if OUT_F32
typedef float Out;
#else
typedef unsigned short Out;
#endif

constexpr int QUERY_BYTES = GROUP * HEAD_DIM * int(sizeof(Io));            // of one row and KV head
constexpr bool QUERY_IN_STAGE = QUERY_BYTES % 16 == 0 && QUERY_BYTES <= 4096;  // single rows' queries come with their first tile
constexpr int TILE_BYTES = BANDS * KV_BAND_BYTES;                           // K or V
constexpr int STAGE_BYTES = (2 * TILE_BYTES + 127) / 128 * 128 + (QUERY_IN_STAGE ? (QUERY_BYTES + 127) / 128 * 128 : 0);
constexpr int WEIGHT_STRIDE = TILE * 2 + 16;    // bytes of a row of weights; an odd multiple of 16, so rows fall into different banks
constexpr int QUERY_STRIDE = PAD_DIM * 2 + 16;  // bytes
constexpr int BOARD_BYTES_EACH = 16 * WEIGHT_STRIDE + 16 * 8 * 4;
constexpr int BOARD_BYTES = ROW_CAP * QUERY_STRIDE > 8 * BOARD_BYTES_EACH ? ROW_CAP * QUERY_STRIDE : 8 * BOARD_BYTES_EACH;
constexpr int TABLE_BYTES = NEAR_RECORDS * (RECORD + 1) * 4 + OWNED_AT_ONCE * (3 + NEAR_SLOTS) * 4 + 512;
constexpr bool GROUPED = WGMMA && ROW_CAP == 128;           // records of more than 32 query rows go to warpgroup products
constexpr bool EIGHT = KV_EIGHT != 0;
constexpr int WIDENERS = EIGHT && GROUPED ? 4 : 0;          // warps that turn 8-bit K and V into 16 bits for those
constexpr int THREADS = BASE_THREADS + 32 * WIDENERS;
constexpr int RELEASES = 32 * (CONSUMERS + WIDENERS);       // threads that must have left a stage
constexpr int WIDE_TILES = GROUPED ? 2 : 1;                 // places for tiles of 8-bit K, and of V, in 16 bits
constexpr int WIDE_BYTES = EIGHT ? (WIDE_TILES * (2 * TILE * (PAD_DIM * 2 + 4) + 32) + 127) / 128 * 128 : 0;
constexpr int FITTING = (SHARED_BUDGET - BOARD_BYTES - TABLE_BYTES - WIDE_BYTES) / STAGE_BYTES;
constexpr int STAGES = FITTING > 8 ? 8 : FITTING;
static_assert(STAGES >= 2, "no room for two stages");
constexpr int atMost(int x, int y) { return x < y ? x : y; }

// Tiles of the ring on their way at a time: 64 KB, at least two tiles. More would only stand in line in memory, before queries and
// states of all blocks. At first one more: nothing else is to be done meanwhile.
constexpr int IN_FLIGHT = atMost(STAGES, TILE_BYTES > 16384 ? 2 : (32768 + TILE_BYTES - 1) / TILE_BYTES);
constexpr int IN_FLIGHT_FIRST = atMost(STAGES, IN_FLIGHT + 1);

// Where the warps of a band exchange, for 16 rows: weights exp(score - max) as operands, and one number of each warp.
struct Board {
  unsigned char weights[16][WEIGHT_STRIDE];
  float numbers[16][8];
};

struct __align__(128) WideTiles {
  unsigned char k[WIDE_TILES][TILE * PAD_DIM * 2], v[WIDE_TILES][TILE * PAD_DIM * 2];
  float keyScales[WIDE_TILES][TILE], valueScales[WIDE_TILES][TILE];
  u64 keysFull[WIDE_TILES], keysEmpty[WIDE_TILES], valuesFull[WIDE_TILES], valuesEmpty[WIDE_TILES];
};

// Only 8-bit KV has them; without they take no room, and nothing calls wide().
template <bool>
struct Wide {
  __device__ WideTiles& wide();
};

template <>
struct Wide<true> {
  WideTiles tiles;
  __device__ __forceinline__ WideTiles& wide() { return tiles; }
};

struct __align__(128) Shared : Wide<EIGHT> {
  unsigned char ring[STAGES][STAGE_BYTES];
  union {
    Board boards[2][4];
    unsigned char queries[ROW_CAP][QUERY_STRIDE];
  } board;
  int records[NEAR_RECORDS][RECORD];
  int lengths[NEAR_RECORDS];
  u64 full[STAGES];
  u64 empty[STAGES];
  int epoch;                    // of this launch
  int done[CONSUMERS];          // records that each computing warp has left behind
  int ownedCount;               // rows to merge here
  int owned[OWNED_AT_ONCE][3];  // row, start and count of its slots
  int slots[OWNED_AT_ONCE][NEAR_SLOTS];  // the first of them
};
static_assert(sizeof(Shared) <= SHARED_BUDGET, "shared memory");

// Flags of a record.
constexpr int CAUSAL = 1;  // its rows see different lengths
constexpr int OWNER = 2;   // for some of its rows it is the last record: it merges them
constexpr int SIGNAL = 4;  // for some it is not: blocks that own them wait for it

constexpr int READY_HEAD = 4;  // ints before the flags in `ready`: launches so far, blocks begun

struct Arguments {
  const unsigned char* kv;
  const Io* q;
  long qStride;
  Out* out;  // null with OUT_TWIN: not wanted
  long outStride;
  const int* records;
  const int* lengths;
  const int* chunkIds;
  const int* rowPosition;
  const int* rowPartialStart;
  const int* rowPartial;
  float* partialO;
  float* partialMl;
  int* ready;
  const int* waits;
  int recordCap;
  int waitCap;
  float scale2;  // scale * log2(e)
#if OUT_TWIN
  unsigned short* twin;  // out in 16 bits, with the same stride; null: not wanted
#endif
};

// Two neighbouring values of q as an operand register.
__device__ __forceinline__ u32 loadPair(const Io* p) {
#if IO_F32
  float2 v = *reinterpret_cast<const float2*>(p);
  return pack(v.x, v.y);
#else
  return *reinterpret_cast<const u32*>(p);
#endif
}

// Two neighbouring values of out, of its twin, or of both.
__device__ __forceinline__ void storePair(const Arguments& a, long at, float x, float y) {
#if OUT_TWIN
  if (a.twin != nullptr) *reinterpret_cast<u32*>(a.twin + at) = packTwin(x, y);
  if (a.out == nullptr) return;
#endif
#if OUT_F32
  *reinterpret_cast<float2*>(a.out + at) = make_float2(x, y);
#else
  *reinterpret_cast<u32*>(a.out + at) = pack(x, y);
#endif
}

// Eight neighbouring values of q; x: the first one's place in its head.
__device__ __forceinline__ uint4 loadEight(const Io* p, int x) {
  if constexpr (HEAD_DIM % 8 == 0) {
    if (x >= HEAD_DIM) return make_uint4(0, 0, 0, 0);
#if IO_F32
    float4 v = *reinterpret_cast<const float4*>(p);
    float4 w = *reinterpret_cast<const float4*>(p + 4);
    return make_uint4(pack(v.x, v.y), pack(v.z, v.w), pack(w.x, w.y), pack(w.z, w.w));
#else
    return *reinterpret_cast<const uint4*>(p);
#endif
  } else {
    return make_uint4(x < HEAD_DIM ? loadPair(p) : 0, x + 2 < HEAD_DIM ? loadPair(p + 2) : 0, x + 4 < HEAD_DIM ? loadPair(p + 4) : 0,
                      x + 6 < HEAD_DIM ? loadPair(p + 6) : 0);
  }
}
