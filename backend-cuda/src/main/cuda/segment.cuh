// Attention of the query rows of one record over its tokens, by the 8 computing warps: the state of a warp and the way through a
// record. What the steps do is in the files included at the end.
#pragma once
#include "records.cuh"
#include "ring.cuh"
#include "widen.cuh"

// Warps stand in 8 / SPLIT bands of 16 query rows; the SPLIT warps of a band share its work: each scores its part of a
// tile's tokens, then weighs its part of V's columns with the weights of all. So a band has one softmax state, and no
// states to merge afterwards. With SPLIT 1 on Hopper the four warps of a warpgroup multiply together.
// ALONE: the record has one row and one warpgroup works on it, while the other works on the next one.
template <int SPLIT, bool ALONE>
struct Segment {
  static_assert(!ALONE || SPLIT == 4, "a single row is one band of a warpgroup");
  static constexpr int SCORED = BANDS / SPLIT > 0 ? BANDS / SPLIT : 1;  // groups of 8 tokens that a warp scores
  static constexpr int COLUMNS = (STEPS + SPLIT - 1) / SPLIT;           // groups of 16 columns of V that it weighs
  static constexpr bool BY_WARPGROUP = WGMMA && SPLIT == 1;
  static constexpr bool DIRECT = EIGHT && SPLIT >= 4;                   // 8-bit K and V become operands in registers
  static constexpr bool STAGED = EIGHT && SPLIT <= 2;                   // or 16-bit tiles in shared memory
  static constexpr int SCALE_STRIDE = DIRECT ? KV_BAND_BYTES : 32;      // bytes from band to band of scales

  // Where a tile lies in shared memory, and the scales of its first band.
  struct Place {
    u32 k, v, keyScales, valueScales;
  };

  // What exponents are relative to where warpgroups multiply: see lazySoftmax.
  struct Reference {
    float scaled[2];   // as weights need it
    float ceiling[2];  // what no score may exceed
    float slack;
    __device__ __forceinline__ explicit Reference(float scale2) : scaled{0, 0}, ceiling{-infinity(), -infinity()}, slack(8 / scale2) {}
  };

  const Arguments& a;
  Shared& shared;
  int lane, band, part, heads;
  // What follows is set where a record begins, on every path that reads it: otherwise it would take registers all the time.
  u32 q[STEPS][4];
  float o[2 * COLUMNS][4];  // sum of weights times V, of this warp's columns
  float m[2], l[2];         // maximum of scores and sum of weights of rows lane / 4 and lane / 4 + 8
  int limit[2];             // tokens that these rows see
  int sure;                 // tokens that all rows of the warp see
  Unit unit;                // of o, if V has scales

  __device__ __forceinline__ Segment(const Arguments& arguments, Shared& sharedMemory, int warp)
      : a(arguments), shared(sharedMemory), lane(threadIdx.x % 32), band(warp / SPLIT), part(warp % SPLIT), heads(GROUP * gridDim.y) {}

  // The record. turn: which of the boards is next. wide: tiles of 8-bit KV that came in 16 bits so far, see wideWait.
  __device__ __forceinline__ void run(const Record& r, Cursor& cursor, u32& turn, u32& wide) {
    if constexpr (!ALONE) {
      stageQueries(r);
      turn = 0;
    }
    // All four warps of a warpgroup take part in its products.
    if (ALONE || (BY_WARPGROUP ? band / 4 * 64 : band * 16) < r.rows * GROUP) {
      begin(r);
      if constexpr (!ALONE) {
        loadStaged();
        groupSync(6, 32 * CONSUMERS);  // before bands put weights in the same place
      } else if constexpr (QUERY_IN_STAGE) {
        awaitTile(shared, cursor);
        loadQueries(reinterpret_cast<const Io*>(shared.ring[cursor.stage] + 2 * TILE_BYTES));
      } else {
        loadQueries(a.q + r.firstRow * a.qStride + blockIdx.y * GROUP * HEAD_DIM);
      }
      if constexpr (BY_WARPGROUP && EIGHT) {
        overlappedEight(r, cursor, wide);
      } else if constexpr (BY_WARPGROUP) {
        overlapped(r, cursor);
      } else {
        tiles(r, cursor, turn);
      }
      store(r, turn);
      turn ^= 1;
    } else {
      groupSync(6, 32 * CONSUMERS);
      if constexpr (BY_WARPGROUP && EIGHT) {
        passEight(r, cursor, wide);
      } else {
        pass(r, cursor);
      }
    }
    // Queries and boards of this record are read until the end, and lie where a single row's boards do.
    if (SPLIT <= 2) groupSync(6, 32 * CONSUMERS);
    if (!ALONE) turn = 0;  // warps without a part have not counted
  }

  // Tiles that this warp has no part in. It follows them all the same: a barrier tells only even from odd phases.
  __device__ __forceinline__ void pass(const Record& r, Cursor& cursor) {
    if constexpr (!STAGED) {
      for (int done = 0; done < r.tokens; done += TILE, cursor.next()) {
        awaitTile(shared, cursor);
        release(shared, cursor);
      }
    } else {
      u32 turn = 0;
      stagedTiles<false>(r, cursor, turn);
    }
  }

  // The record's tiles, where single warps multiply.
  __device__ __forceinline__ void tiles(const Record& r, Cursor& cursor, u32& turn) {
    if constexpr (!STAGED) {
      for (int done = 0; done < r.tokens; done += TILE, cursor.next(), turn ^= 1) {
        awaitTile(shared, cursor);
        u32 k = keysAt(shared, cursor);
        u32 v = valuesAt(shared, cursor);
        tile(Place{k, v, k + EIGHT_SCALES, v + EIGHT_SCALES}, done, min(TILE, r.tokens - done), turn);
        readsBeforeCopies();
        release(shared, cursor);
      }
    } else {
      stagedTiles<true>(r, cursor, turn);
    }
  }

  // Tiles by way of 16 bits, which all warps prepare; without PART this one does no more than that.
  template <bool PART>
  __device__ __forceinline__ void stagedTiles(const Record& r, Cursor& cursor, u32& turn) {
    WideTiles& tiles = shared.wide();
    Place wide{sharedAddress(tiles.k[0]), sharedAddress(tiles.v[0]), sharedAddress(tiles.keyScales[0]), sharedAddress(tiles.valueScales[0])};
    for (int done = 0; done < r.tokens; done += TILE, turn ^= 1) {
      int count = min(TILE, r.tokens - done);
      widenStage(shared, cursor, count);
      if constexpr (PART) tile(wide, done, count, turn);
      groupSync(6, 32 * CONSUMERS);
    }
  }

  __device__ __forceinline__ int queryRow(int half) const { return (ALONE ? 0 : band) * 16 + lane / 4 + 8 * half; }

  __device__ __forceinline__ void begin(const Record& r) {
    sure = 1 << 30;
#pragma unroll
    for (int half = 0; half < 2; half++) {
      int row = queryRow(half);
      limit[half] = (r.flags & CAUSAL) && row < r.rows * GROUP ? a.rowPosition[r.firstRow + row / GROUP] + 1 - r.firstToken : 1 << 30;
      m[half] = -infinity();
      l[half] = 0;
    }
    if constexpr (EIGHT) unit.bits = 0;
    if ((r.flags & CAUSAL)) sure = __reduce_min_sync(~0u, min(limit[0], limit[1]));
#pragma unroll
    for (int i = 0; i < 2 * COLUMNS; i++) {
#pragma unroll
      for (int j = 0; j < 4; j++) o[i][j] = 0;
    }
  }

  // segment_queries.cuh
  void stageQueries(const Record& r);
  void loadStaged();
  void loadQueries(const Io* queries);

  // segment_tile.cuh: a tile, by one warp or by all of a band
  void tile(const Place& at, int done, int count, u32 turn);
  void tileByBand(const Place& at, int done, int count, bool cut, u32 turn);
  template <class Operation>
  void combine(Board& b, float (&x)[2], Operation op);
  void bandSync();
  Board& board(u32 turn);

  // segment_products.cuh: matrix products of single warps
  template <int N>
  void score(float (&s)[N][4], const Place& at, int first);
  template <int N>
  void scoreWide(float (&s)[N][4], u32 k, int first);
  void operand(u32 (&p)[4], const float (&s)[BANDS][4], int step);
  void weigh(const u32 (&p)[4], u32 v, int step, int count);
  void weighWide(const u32 (&p)[4], u32 v, int step, int count);
  void clear(u32 (&b)[4], int count);

  // segment_softmax.cuh: scores to weights
  template <int N>
  void hide(float (&s)[N][4], int done, int count, int first);
  template <int N>
  void rowMax(const float (&s)[N][4], float (&max)[2]);
  template <int N>
  bool weights(float (&s)[N][4], float (&max)[2], float (&correction)[2]);
  bool lazySoftmax(float (&s)[BANDS][4], Reference& reference, int done, int count, float (&correction)[2]);
  template <int N>
  bool scaleByValues(float (&s)[N][4], const Place& at, int first, int count, float (&correction)[2]);
  void rescale(const float (&correction)[2]);

  // segment_warpgroup.cuh: all tiles, by products of warpgroups (defined where WGMMA is 1)
  void overlapped(const Record& r, Cursor& cursor);
  void scoreGroup(float (&s)[BANDS][4], u32 k);
  void weighGroup(u32 (&p)[BANDS / 2][4], u32 v);
  void operands(u32 (&p)[BANDS / 2][4], const float (&s)[BANDS][4]);
  void clearSlots(u32 v, int count);

  // segment_warpgroup_eight.cuh: the same over tiles that other warps widen
  void overlappedEight(const Record& r, Cursor& cursor, u32& wide);
  void passEight(const Record& r, Cursor& cursor, u32& wide);
  void nextTile(Cursor& cursor, u32 number);
  bool scaledSoftmax(float (&s)[BANDS][4], u32 number, int done, int count, float (&correction)[2]);

  // segment_output.cuh
  void store(const Record& r, u32 turn);
  float first(int i, int half) const;
  float second(int i, int half) const;
  void inUnits(int half);
};

#include "segment_output.cuh"
#include "segment_products.cuh"
#include "segment_queries.cuh"
#include "segment_softmax.cuh"
#include "segment_tile.cuh"
#include "segment_warpgroup.cuh"
#include "segment_warpgroup_eight.cuh"
