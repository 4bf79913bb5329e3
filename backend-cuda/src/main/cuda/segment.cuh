// Attention of the query rows of one record over its tokens, by the 8 consumer warps.
#pragma once
#include "merge.cuh"
#include "segment_eight.cuh"

// Warps stand in 8 / SPLIT bands of 16 query rows; the SPLIT warps of a band share its work: each scores its part of a
// tile's tokens, then weighs its part of V's columns with the weights of all. So a band has one softmax state, and no
// states to merge afterwards.
// ALONE: the record has one row and one warpgroup works on it, while the other works on the next one.
template <int SPLIT, bool ALONE>
struct Segment {
  static_assert(!ALONE || SPLIT == 4, "");
  static constexpr int SCORED = BANDS / SPLIT > 0 ? BANDS / SPLIT : 1;   // groups of 8 tokens that a warp scores
  static constexpr int COLUMNS = (STEPS + SPLIT - 1) / SPLIT;             // groups of 16 columns of V that it weighs
  static constexpr bool DIRECT = EIGHT && SPLIT >= 4;                     // 8-bit K and V become operands in registers
  static constexpr bool STAGED = EIGHT && SPLIT <= 2;                     // or 16-bit tiles in shared memory
  static constexpr int SCALE_STRIDE = DIRECT ? KV_BAND_BYTES : 32;        // bytes from band to band of scales

  const Arguments& a;
  Shared& shared;
  int lane, band, part, heads;
  u32 q[STEPS][4];
  float o[2 * COLUMNS][4];
  float m[2], l[2];
  int limit[2];  // tokens that rows lane / 4 and lane / 4 + 8 see
  int sure;      // tokens that all rows of the warp see
  Unit unit;     // of o, if V has scales

  // Where a tile lies in shared memory, and the scales of its first band.
  struct Place {
    u32 k, v, keyScales, valueScales;
  };

  __device__ __forceinline__ Segment(const Arguments& arguments, Shared& sharedMemory, int warp)
      : a(arguments), shared(sharedMemory), lane(threadIdx.x % 32), band(warp / SPLIT), part(warp % SPLIT), heads(GROUP * gridDim.y) {}

  // Members must be set on every path that reads them: else they would take registers all the time.
  __device__ __forceinline__ void run(const Record& r, Cursor& cursor, u32& turn) {
    u32 none = 0;
    run(r, cursor, turn, none);
  }

  // wide: tiles that came in 16 bits so far, see wideWait.
  __device__ __forceinline__ void run(const Record& r, Cursor& cursor, u32& turn, u32& wide) {
    if constexpr (!ALONE) {
      stageQueries(r);
      turn = 0;
    }
    // All four warps of a warpgroup take part in its products.
    if (ALONE || (WGMMA && SPLIT == 1 ? band / 4 * 64 : band * 16) < r.rows * GROUP) {
      begin(r);
      if constexpr (!ALONE) {
        loadStaged();
        groupSync(6, 32 * CONSUMERS);  // before weights go to the same place
      } else if constexpr (QUERY_IN_STAGE) {
        barrierWait(sharedAddress(&shared.full[cursor.stage]), cursor.phase);
        loadQueries(reinterpret_cast<const Io*>(shared.ring[cursor.stage] + 2 * TILE_BYTES));
      } else {
        loadQueries(a.q + r.firstRow * a.qStride + blockIdx.y * GROUP * HEAD_DIM);
      }
#if WGMMA
      if constexpr (SPLIT == 1) {
        if constexpr (EIGHT) {
          overlappedEight(r, cursor, wide);
        } else {
          overlapped(r, cursor);
        }
      } else
#endif
        tiles(r, cursor, turn);
      store(r, turn);
      turn ^= 1;
    } else {
      groupSync(6, 32 * CONSUMERS);
      if constexpr (STAGED && WGMMA && SPLIT == 1) {
        follow(r, cursor, wide);
      } else {
        pass(r, cursor);
      }
    }
    // Queries and boards of this record are read until the end, and lie where a single row's boards do.
    if (SPLIT <= 2) groupSync(6, 32 * CONSUMERS);
    if (!ALONE) turn = 0;  // warps without a part have not counted
  }

  __device__ __forceinline__ void tiles(const Record& r, Cursor& cursor, u32& turn) {
    if constexpr (!STAGED) {
      for (int done = 0; done < r.tokens; done += TILE, cursor.next(), turn ^= 1) {
        barrierWait(sharedAddress(&shared.full[cursor.stage]), cursor.phase);
        u32 stage = sharedAddress(shared.ring[cursor.stage]);
        tile(Place{stage, stage + TILE_BYTES, stage + EIGHT_SCALES, stage + TILE_BYTES + EIGHT_SCALES}, done, min(TILE, r.tokens - done), turn);
        readsBeforeCopies();
        release(cursor);
      }
    } else {
      stagedTiles<true>(r, cursor, turn);
    }
  }

  // Tiles that this warp has no part in. It follows them all the same: a barrier tells only even from odd phases.
  __device__ __forceinline__ void pass(const Record& r, Cursor& cursor) {
    if constexpr (!STAGED) {
      for (int done = 0; done < r.tokens; done += TILE, cursor.next()) {
        barrierWait(sharedAddress(&shared.full[cursor.stage]), cursor.phase);
        release(cursor);
      }
    } else {
      u32 turn = 0;
      stagedTiles<false>(r, cursor, turn);
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

  // Whoever read the stage by ordinary loads calls readsBeforeCopies() first; products of warpgroups are no such reads.
  __device__ __forceinline__ void release(const Cursor& cursor) { barrierArrive(sharedAddress(&shared.empty[cursor.stage])); }

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

  // Queries of a record of several rows to shared memory.
  __device__ __forceinline__ void stageQueries(const Record& r) {
    groupSync(6, 32 * CONSUMERS);  // the score boards may still be read
    int rows = r.rows * GROUP;
    int pieces = (rows + 15) / 16 * 16 * UNITS;
    constexpr int IN_FLIGHT = 8;
    for (int base = threadIdx.x; base < pieces; base += 32 * CONSUMERS * IN_FLIGHT) {
      uint4 v[IN_FLIGHT];
#pragma unroll
      for (int j = 0; j < IN_FLIGHT; j++) {
        int i = base + 32 * CONSUMERS * j;
        int row = i / UNITS;
        int x = i % UNITS * 8;
        v[j] = make_uint4(0, 0, 0, 0);
        if (row < rows) v[j] = loadEight(a.q + (r.firstRow + row / GROUP) * a.qStride + (blockIdx.y * GROUP + row % GROUP) * HEAD_DIM + x, x);
      }
#pragma unroll
      for (int j = 0; j < IN_FLIGHT; j++) {
        int i = base + 32 * CONSUMERS * j;
        if constexpr (DIRECT) {
          // Values 4 t .. 4 t + 3 of 16 to where an operand has 2 t, 2 t + 1, 2 t + 8, 2 t + 9.
          unsigned char* to = shared.board.queries[i / UNITS] + i % UNITS / 2 * 32 + i % 2 * 8;
          if (i < pieces) {
            *reinterpret_cast<uint2*>(to) = make_uint2(v[j].x, v[j].z);
            *reinterpret_cast<uint2*>(to + 16) = make_uint2(v[j].y, v[j].w);
          }
        } else {
          if (i < pieces) *reinterpret_cast<uint4*>(shared.board.queries[i / UNITS] + i % UNITS * 16) = v[j];
        }
      }
    }
    groupSync(6, 32 * CONSUMERS);
  }

  __device__ __forceinline__ void loadStaged() {
    u32 from = sharedAddress(shared.board.queries[band * 16 + lane % 16]) + lane / 16 * 16;
#pragma unroll
    for (int k = 0; k < STEPS; k++) loadMatrix4(q[k], from + 32 * k);
  }

  __device__ __forceinline__ void loadQueries(const Io* queries) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      int row = queryRow(half);
      bool valid = row < GROUP;
      constexpr int WIDTH = DIRECT ? 4 : 2, NEXT = DIRECT ? 2 : 8;  // see scoreEight
      const Io* from = queries + row * HEAD_DIM + lane % 4 * WIDTH;
#pragma unroll
      for (int k = 0; k < STEPS; k++) {
        q[k][half] = valid && 16 * k + lane % 4 * WIDTH < HEAD_DIM ? loadPair(from + 16 * k) : 0;
        q[k][half + 2] = valid && 16 * k + NEXT + lane % 4 * WIDTH < HEAD_DIM ? loadPair(from + 16 * k + NEXT) : 0;
      }
    }
  }

  // tokens [done, done + count) of the record lie at `at`.
  __device__ __forceinline__ void tile(const Place& at, int done, int count, u32 turn) {
    bool mask = count < TILE || done + TILE > sure;
    if constexpr (SPLIT == 1) {
      float s[BANDS][4];
      score(s, at, 0);
      if (mask) hide(s, done, count, 0);
      float max[2], old[2];
      rowMax(s, max);
      bool grew = weights(s, max, old);
      grew |= scaled(s, at, 0, count, old);
      if (grew) rescale(old);
#pragma unroll
      for (int step = 0; step < BANDS / 2; step++) {
        u32 p[4];
        operand(p, s, step);
        weigh(p, at.v, step, count);
      }
    } else {
      together(at, done, count, mask, turn);
    }
  }

  // Weights times V's scales, if it has any; true if o must be scaled by old for that.
  template <int N>
  __device__ __forceinline__ bool scaled(float (&s)[N][4], const Place& at, int first, int count, float (&old)[2]) {
    if constexpr (!EIGHT) return false;
    float ratio = unit.template raise<SCALE_STRIDE>(at.valueScales, count);
    scaleWeights<SCALE_STRIDE>(s, at.valueScales + first * SCALE_STRIDE, unit.inverse(), count - first * 8);
    old[0] *= ratio;
    old[1] *= ratio;
    return ratio != 1;
  }

  __device__ __forceinline__ Board& board(u32 turn) { return shared.board.boards[turn][ALONE ? 2 + band : band]; }

  __device__ __forceinline__ void bandSync() { groupSync(1 + band, 32 * SPLIT); }

  // Combines one number of each warp of the band for rows lane / 4 and lane / 4 + 8.
  template <class Operation>
  __device__ __forceinline__ void combine(Board& b, float (&x)[2], Operation op) {
    if (lane % 4 == 0) {
      b.numbers[lane / 4][part] = x[0];
      b.numbers[lane / 4 + 8][part] = x[1];
    }
    bandSync();
#pragma unroll
    for (int half = 0; half < 2; half++) {
      const float4* from = reinterpret_cast<const float4*>(b.numbers[lane / 4 + 8 * half]);
      float4 v = from[0];
      if constexpr (SPLIT == 2) {
        x[half] = op(v.x, v.y);
      } else {
        x[half] = op(op(v.x, v.y), op(v.z, v.w));
      }
      if constexpr (SPLIT == 8) {
        float4 w = from[1];
        x[half] = op(x[half], op(op(w.x, w.y), op(w.z, w.w)));
      }
    }
  }

  // A tile by all warps of the band.
  __device__ __forceinline__ void together(const Place& at, int done, int count, bool mask, u32 turn) {
    Board& b = board(turn);
    bool scores = part * SCORED < BANDS;
    float s[SCORED][4];
    float max[2] = {-infinity(), -infinity()};
    if (scores) {
      score(s, at, part * SCORED);
      if (mask) hide(s, done, count, part * SCORED);
      rowMax(s, max);
    }
    combine(b, max, [](float x, float y) { return fmaxf(x, y); });
    if (!scores) {
#pragma unroll
      for (int i = 0; i < SCORED; i++) s[i][0] = s[i][1] = s[i][2] = s[i][3] = -infinity();
    }
    float old[2];
    bool grew = weights(s, max, old);
    grew |= scaled(s, at, scores ? part * SCORED : 0, count, old);
    if (grew) rescale(old);
    if (scores) {
      unsigned char* to = b.weights[lane / 4] + (part * SCORED * 8 + lane % 4 * 2) * 2;
#pragma unroll
      for (int i = 0; i < SCORED; i++) {
        *reinterpret_cast<u32*>(to + 16 * i) = pack(s[i][0], s[i][1]);
        *reinterpret_cast<u32*>(to + 16 * i + 8 * WEIGHT_STRIDE) = pack(s[i][2], s[i][3]);
      }
    }
    bandSync();
    u32 from = sharedAddress(b.weights[lane % 16]) + lane / 16 * 16;
#pragma unroll
    for (int step = 0; step < BANDS / 2; step++) {
      u32 p[4];
      loadMatrix4(p, from + 32 * step);
      weigh(p, at.v, step, count);
    }
  }

  // s = q . K of N groups of 8 tokens from group first on.
  template <int N>
  __device__ __forceinline__ void score(float (&s)[N][4], const Place& at, int first) {
    if constexpr (DIRECT) {
      scoreEight(s, q, at.k, first);
    } else {
      scoreWide(s, at.k, first);
    }
    if constexpr (EIGHT) scaleScores<SCALE_STRIDE>(s, at.keyScales + first * SCALE_STRIDE);
  }

  template <int N>
  __device__ __forceinline__ void scoreWide(float (&s)[N][4], u32 k, int first) {
#pragma unroll
    for (int i = 0; i < N; i++) {
#pragma unroll
      for (int j = 0; j < 4; j++) s[i][j] = 0;
    }
    u32 b[4];
    if constexpr (N >= 2) {
      u32 from = k + ((first + lane / 16) * UNITS + lane / 8 % 2) * 128 + lane % 8 * 16;
#pragma unroll
      for (int step = 0; step < STEPS; step++) {
#pragma unroll
        for (int i = 0; i < N; i += 2) {
          loadMatrix4(b, from + (i * UNITS + 2 * step) * 128);
          multiply(s[i], q[step], b[0], b[1]);
          multiply(s[i + 1], q[step], b[2], b[3]);
        }
      }
    } else {
      float odd[4] = {0, 0, 0, 0};
      u32 from = k + (first * UNITS + lane / 8) * 128 + lane % 8 * 16;
#pragma unroll
      for (int step = 0; step < STEPS; step += 2) {
        // With an odd number of steps the last load reaches into the next group: inside the stage, not used.
        loadMatrix4(b, from + 2 * step * 128);
        multiply(s[0], q[step], b[0], b[1]);
        if (step + 1 < STEPS) multiply(odd, q[step + 1 < STEPS ? step + 1 : 0], b[2], b[3]);
      }
#pragma unroll
      for (int j = 0; j < 4; j++) s[0][j] += odd[j];
    }
  }

  // Scores of tokens that do not exist or lie behind the row become -infinity.
  template <int N>
  __device__ __forceinline__ void hide(float (&s)[N][4], int done, int count, int first) {
#pragma unroll
    for (int i = 0; i < N; i++) {
#pragma unroll
      for (int j = 0; j < 4; j++) {
        int token = (first + i) * 8 + lane % 4 * 2 + j % 2;
        if (token >= count || done + token >= limit[j / 2]) s[i][j] = -infinity();
      }
    }
  }

  template <int N>
  __device__ __forceinline__ void rowMax(const float (&s)[N][4], float (&max)[2]) {
    max[0] = max[1] = -infinity();
#pragma unroll
    for (int i = 0; i < N; i++) {
      max[0] = fmaxf(max[0], fmaxf(s[i][0], s[i][1]));
      max[1] = fmaxf(max[1], fmaxf(s[i][2], s[i][3]));
    }
#pragma unroll
    for (int half = 0; half < 2; half++) {
      max[half] = fmaxf(max[half], __shfl_xor_sync(~0u, max[half], 1));
      max[half] = fmaxf(max[half], __shfl_xor_sync(~0u, max[half], 2));
    }
  }

  // Scores become weights. True if a row's maximum grew: then o must be scaled by old.
  template <int N>
  __device__ __forceinline__ bool weights(float (&s)[N][4], float (&max)[2], float (&old)[2]) {
    float reference[2];
#pragma unroll
    for (int half = 0; half < 2; half++) {
      max[half] = fmaxf(max[half], m[half]);
      reference[half] = max[half] == -infinity() ? 0 : max[half] * a.scale2;
    }
    bool grew = __any_sync(~0u, max[0] != m[0] || max[1] != m[1]);
#pragma unroll
    for (int half = 0; half < 2; half++) {
      old[half] = exp2Fast(m[half] * a.scale2 - reference[half]);
      l[half] *= old[half];
      m[half] = max[half];
    }
    float sum[2] = {0, 0};
#pragma unroll
    for (int i = 0; i < N; i++) {
#pragma unroll
      for (int j = 0; j < 4; j++) s[i][j] = exp2Fast(s[i][j] * a.scale2 - reference[j / 2]);
      sum[0] += s[i][0] + s[i][1];
      sum[1] += s[i][2] + s[i][3];
    }
    l[0] += sum[0];
    l[1] += sum[1];
    return grew;
  }

  __device__ __forceinline__ void rescale(const float (&old)[2]) {
#pragma unroll
    for (int i = 0; i < 2 * COLUMNS; i++) {
#pragma unroll
      for (int j = 0; j < 4; j++) o[i][j] *= old[j / 2];
    }
  }

  // Weights of 16 tokens as an operand.
  __device__ __forceinline__ void operand(u32 (&p)[4], const float (&s)[BANDS][4], int step) {
#pragma unroll
    for (int j = 0; j < 4; j++) p[j] = pack(s[2 * step + j / 2][j % 2 * 2], s[2 * step + j / 2][j % 2 * 2 + 1]);
  }

  // o += p . V for 16 tokens of the tile; p holds their weights.
  __device__ __forceinline__ void weigh(const u32 (&p)[4], u32 v, int step, int count) {
    if (step * 16 >= count) return;
    if constexpr (DIRECT) {
      weighEight<COLUMNS, STEPS % SPLIT != 0>(o, p, v, step, part * COLUMNS, count - step * 16);
    } else {
      weighWide(p, v, step, count);
    }
  }

  __device__ __forceinline__ void weighWide(const u32 (&p)[4], u32 v, int step, int count) {
    u32 from = v + ((2 * step + lane / 8 % 2) * UNITS + part * COLUMNS * 2 + lane / 16) * 128 + lane % 8 * 16;
    bool tail = step * 16 + 16 > count;
#pragma unroll
    for (int c = 0; c < COLUMNS; c++) {
      if (STEPS % SPLIT != 0 && part * COLUMNS + c >= STEPS) break;
      u32 b[4];
      loadMatrix4Transposed(b, from + 2 * c * 128);
      if (tail) clear(b, count - step * 16);
      multiply(o[2 * c], p, b[0], b[1]);
      multiply(o[2 * c + 1], p, b[2], b[3]);
    }
  }

  // K of a tile is there in 16 bits; the stage itself is not wanted.
  __device__ __forceinline__ void nextTile(Cursor& cursor, u32 number) {
    wideWait(shared.wide().keysFull, number);
    barrierWait(sharedAddress(&shared.full[cursor.stage]), cursor.phase);
    release(cursor);
    cursor.next();
  }

  // A warp without a part in the record.
  __device__ __forceinline__ void follow(const Record& r, Cursor& cursor, u32& wide) {
    for (int done = 0; done < r.tokens; done += TILE, wide++) {
      nextTile(cursor, wide);
      wideArrive(shared.wide().keysEmpty, wide);
      wideWait(shared.wide().valuesFull, wide);
      wideArrive(shared.wide().valuesEmpty, wide);
    }
  }

#if WGMMA
  // Exponents are relative to a reference that all tiles share until a score exceeds it by so much that a weight
  // would be above 2^8: then the row's maximum becomes the new one. m holds it, so that states are what they always are.
  struct Reference {
    float scaled[2];   // as weights need it
    float ceiling[2];  // what no score may exceed
    float slack;
  };

  __device__ __forceinline__ void refer(Reference& ref) const {
    ref.slack = 8 / a.scale2;
#pragma unroll
    for (int half = 0; half < 2; half++) {
      ref.scaled[half] = 0;
      ref.ceiling[half] = -infinity();
    }
  }

  // Scores become weights. True if o must be scaled by old.
  __device__ __forceinline__ bool soften(float (&s)[BANDS][4], Reference& ref, int done, int count, float (&old)[2]) {
    if (count < TILE || done + TILE > sure) hide(s, done, count, 0);
    float max[2];
#pragma unroll
    for (int half = 0; half < 2; half++) {
      float most[BANDS];
#pragma unroll
      for (int i = 0; i < BANDS; i++) most[i] = fmaxf(s[i][2 * half], s[i][2 * half + 1]);
#pragma unroll
      for (int n = BANDS / 2; n > 0; n /= 2) {
#pragma unroll
        for (int i = 0; i < n; i++) most[i] = fmaxf(most[i], most[i + n]);
      }
      max[half] = most[0];
    }
    bool grew = __any_sync(~0u, max[0] > ref.ceiling[0] || max[1] > ref.ceiling[1]);
    if (grew) {
#pragma unroll
      for (int half = 0; half < 2; half++) {
        max[half] = fmaxf(max[half], __shfl_xor_sync(~0u, max[half], 1));
        max[half] = fmaxf(fmaxf(max[half], __shfl_xor_sync(~0u, max[half], 2)), m[half]);
        ref.scaled[half] = max[half] == -infinity() ? 0 : max[half] * a.scale2;
        ref.ceiling[half] = max[half] + ref.slack;
        old[half] = exp2Fast(m[half] * a.scale2 - ref.scaled[half]);
        l[half] *= old[half];
        m[half] = max[half];
      }
    }
    float sum[2][2] = {{0, 0}, {0, 0}};
#pragma unroll
    for (int i = 0; i < BANDS; i++) {
#pragma unroll
      for (int j = 0; j < 4; j++) {
        s[i][j] = exp2Fast(s[i][j] * a.scale2 - ref.scaled[j / 2]);
        sum[j / 2][i % 2] += s[i][j];
      }
    }
    l[0] += sum[0][0] + sum[0][1];
    l[1] += sum[1][0] + sum[1][1];
    return grew;
  }

  __device__ __forceinline__ u32 keysAt(const Cursor& at) { return sharedAddress(shared.ring[at.stage]); }

  __device__ __forceinline__ u32 valuesAt(const Cursor& at) { return keysAt(at) + TILE_BYTES; }

  __device__ __forceinline__ void arrived(const Cursor& at) { barrierWait(sharedAddress(&shared.full[at.stage]), at.phase); }

  // One lane for its warp: only products have read the stage.
  __device__ __forceinline__ void releaseProducts(const Cursor& at) {
    if (lane == 0) barrierArrive(sharedAddress(&shared.empty[at.stage]), 32);
  }

  // Warpgroup products: the next tile's scores and this tile's sum run while the next weights are computed.
  __device__ __forceinline__ void overlapped(const Record& r, Cursor& cursor) {
    float s[BANDS][4];
    u32 p[BANDS / 2][4];
    float old[2];
    Reference ref;
    refer(ref);
    arrived(cursor);
    scoreGroup(s, keysAt(cursor));
    wgmmaWait<0>();
    settle(s);
    soften(s, ref, 0, min(TILE, r.tokens), old);  // o is still 0
    operands(p, s);
    int done = TILE;
    for (; done < r.tokens; done += TILE) {
      Cursor now = cursor;
      cursor.next();
      arrived(cursor);
      scoreGroup(s, keysAt(cursor));
      weighGroup(p, valuesAt(now));
      wgmmaWait<1>();
      settle(s);
      bool grew = soften(s, ref, done, min(TILE, r.tokens - done), old);
      settle(s);
      arrived(cursor);  // It has. But without a loop between them ptxas waits for the sum before it computes the weights.
      wgmmaWait<0>();
      settle(o);
      releaseProducts(now);
      if (grew) rescale(old);
      operands(p, s);
    }
    u32 v = valuesAt(cursor);
    int count = r.tokens - (done - TILE);
    if (count < TILE) clearSlots(v, count);
    weighGroup(p, v);
    wgmmaWait<0>();
    settle(o);
    release(cursor);
    cursor.next();
  }

  // The same over tiles that other warps widen.
  __device__ __forceinline__ void overlappedEight(const Record& r, Cursor& cursor, u32& wide) {
    float s[BANDS][4];
    u32 p[BANDS / 2][4];
    float old[2];
    WideTiles& tiles = shared.wide();
    nextTile(cursor, wide);
    scoreGroup(s, sharedAddress(tiles.k[wide % WIDE_TILES]));
    wgmmaWait<0>();
    settle(s);
    scaledSoftmax(s, wide, 0, r.tokens, old);
    operands(p, s);
    for (int done = TILE; done < r.tokens; done += TILE) {
      nextTile(cursor, wide + 1);
      scoreGroup(s, sharedAddress(tiles.k[(wide + 1) % WIDE_TILES]));
      wideWait(tiles.valuesFull, wide);
      weighGroup(p, sharedAddress(tiles.v[wide % WIDE_TILES]));
      wgmmaWait<1>();
      settle(s);
      bool grew = scaledSoftmax(s, wide + 1, done, r.tokens - done, old);
      settle(s);
      wideWait(tiles.valuesFull, wide);  // as in overlapped()
      wgmmaWait<0>();
      settle(o);
      wideArrive(tiles.valuesEmpty, wide);
      wide++;
      if (grew) rescale(old);
      operands(p, s);
    }
    wideWait(tiles.valuesFull, wide);
    weighGroup(p, sharedAddress(tiles.v[wide % WIDE_TILES]));
    wgmmaWait<0>();
    settle(o);
    wideArrive(tiles.valuesEmpty, wide);
    wide++;
  }

  __device__ __forceinline__ bool scaledSoftmax(float (&s)[BANDS][4], u32 number, int done, int left, float (&old)[2]) {
    WideTiles& tiles = shared.wide();
    int count = min(TILE, left);
    scaleScores<SCALE_STRIDE>(s, sharedAddress(tiles.keyScales[number % WIDE_TILES]));
    bool grew = softmax(s, done, count, old);
    grew |= scaled(s, Place{0, 0, 0, sharedAddress(tiles.valueScales[number % WIDE_TILES])}, 0, count, old);
    wideArrive(tiles.keysEmpty, number);
    return grew;
  }

  __device__ __forceinline__ bool softmax(float (&s)[BANDS][4], int done, int count, float (&old)[2]) {
    if (count < TILE || done + TILE > sure) hide(s, done, count, 0);
    float max[2];
    rowMax(s, max);
    return weights(s, max, old);
  }

  __device__ __forceinline__ void operands(u32 (&p)[BANDS / 2][4], const float (&s)[BANDS][4]) {
#pragma unroll
    for (int step = 0; step < BANDS / 2; step++) operand(p[step], s, step);
  }

  __device__ __forceinline__ void scoreGroup(float (&s)[BANDS][4], u32 k) {
    static_assert(TILE == 64, "one product spans a tile");
    loadStaged();  // each time: ptxas 13.0 may lose operands that are kept over the loop
    settle(q);
    settle(s);
    Matrix keys(k, 128, UNITS * 128);
    wgmmaBegin();
#pragma unroll
    for (int step = 0; step < STEPS; step++) wgmma64<0>(s, q[step], keys.at(step * 256), keys.high, step > 0);
    wgmmaCommit();
  }

  __device__ __forceinline__ void weighGroup(u32 (&p)[BANDS / 2][4], u32 v) {
    settle(p);
    settle(o);
    Matrix values(v, UNITS * 128, 128);
    wgmmaBegin();
#pragma unroll
    for (int step = 0; step < BANDS / 2; step++) {
      u32 from = 2 * step * UNITS * 128;
      if constexpr (PAD_DIM == 128) {
        wgmma128(o, p[step], values.at(from), values.high);
      } else {
        constexpr int WIDE = PAD_DIM / 64;
#pragma unroll
        for (int c = 0; c < WIDE; c++) wgmma64<1>(o + 8 * c, p[step], values.at(from + c * 1024), values.high, 1);
#pragma unroll
        for (int c = WIDE * 4; c < STEPS; c++) wgmma16(o + 2 * c, p[step], values.at(from + c * 256), values.high);
      }
    }
    wgmmaCommit();
  }

  // As clear(), in the stage itself, from token count to the end of the tile.
  __device__ __forceinline__ void clearSlots(u32 v, int count) {
    for (int i = threadIdx.x % 128; i < (TILE - count) * UNITS; i += 128) {
      int slot = count + i / UNITS;
      u32 at = v + (slot / 8 * UNITS + i % UNITS) * 128 + slot % 8 * 16;
      asm volatile("st.shared.v4.b32 [%0], {%1,%1,%1,%1};" ::"r"(at), "r"(0) : "memory");
    }
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
    groupSync(7 + threadIdx.x / 128, 128);
  }
#endif

  // Slots that nobody wrote may hold NaN: 0 times NaN must not get into a sum.
  __device__ __forceinline__ void clear(u32 (&b)[4], int count) {
    int token = lane % 4 * 2;
    u32 low = (token < count ? 0xffffu : 0) | (token + 1 < count ? 0xffff0000u : 0);
    u32 high = (token + 8 < count ? 0xffffu : 0) | (token + 9 < count ? 0xffff0000u : 0);
    b[0] &= low;
    b[1] &= high;
    b[2] &= low;
    b[3] &= high;
  }

  // The ith pair of neighbouring columns that the thread holds. 8-bit operands have even and odd columns apart.
  __device__ __forceinline__ float first(int i, int half) const { return DIRECT ? o[i & ~1][2 * half + i % 2] : o[i][2 * half]; }

  __device__ __forceinline__ float second(int i, int half) const { return DIRECT ? o[i | 1][2 * half + i % 2] : o[i][2 * half + 1]; }

  __device__ __forceinline__ void inUnits(int half) {
#pragma unroll
    for (int i = 0; i < 2 * COLUMNS; i++) {
      o[i][2 * half] *= unit.value();
      o[i][2 * half + 1] *= unit.value();
    }
  }

  __device__ __forceinline__ void store(const Record& r, u32 turn) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      l[half] += __shfl_xor_sync(~0u, l[half], 1);
      l[half] += __shfl_xor_sync(~0u, l[half], 2);
    }
    if constexpr (SPLIT > 1) combine(board(turn), l, [](float x, float y) { return x + y; });
#pragma unroll
    for (int half = 0; half < 2; half++) {
      int row = queryRow(half);
      if (row < r.rows * GROUP) {
        int head = blockIdx.y * GROUP + row % GROUP;
        int column = part * COLUMNS * 16 + lane % 4 * (DIRECT ? 4 : 2);
        if constexpr (EIGHT) inUnits(half);
        if (r.partial < 0) {
          long to = (r.firstRow + row / GROUP) * a.outStride + head * HEAD_DIM;
          float inverse = l[half] > 0 ? __fdividef(1, l[half]) : 0;
#pragma unroll
          for (int i = 0; i < 2 * COLUMNS; i++) {
            int x = column + (DIRECT ? 16 * (i / 2) + 2 * (i % 2) : 8 * i);
            if (x < HEAD_DIM) storePair(a, to + x, first(i, half) * inverse, second(i, half) * inverse);
          }
        } else {
          long state = long(r.partial + row / GROUP) * heads + head;
          float* to = a.partialO + state * HEAD_DIM;
#pragma unroll
          for (int i = 0; i < 2 * COLUMNS; i++) {
            int x = column + (DIRECT ? 16 * (i / 2) + 2 * (i % 2) : 8 * i);
            if (x < HEAD_DIM) *reinterpret_cast<float2*>(to + x) = make_float2(first(i, half), second(i, half));
          }
          if (part == 0 && lane % 4 == 0) {
            *reinterpret_cast<float2*>(a.partialMl + 2 * state) = make_float2(m[half], l[half]);
          }
        }
      }
    }
  }
};
