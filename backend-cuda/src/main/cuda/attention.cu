// Attention over a forest of shared chunk runs: one launch, blocks of 8 computing warps and one that copies. See README.md.
#include "shape.cuh"
#include "merge.cuh"
#include "segment.cuh"

extern "C" {
__constant__ int attention_shared_bytes = sizeof(Shared);
__constant__ int attention_row_cap = ROW_CAP;
__constant__ int attention_threads = THREADS;
}

// The copying warp: K and V of all records, tile by tile, into the ring.
__device__ __forceinline__ static void copyTiles(const Arguments& a, Shared& shared) {
  int lane = threadIdx.x % 32;
  Cursor cursor;
#if __CUDA_ARCH__ >= 900
  u64 policy = passing();
#endif
  for (int i = 0;; i++) {
    Record r = loadRecord(a, shared, i);
    int tokens = r.tokens;
    if (tokens == 0) return;
    int first = r.firstToken;
    int chunkStart = r.chunkStart;
    bool single = r.rows == 1;
    int base = first / CHUNK;
    int window = 0;  // lane j holds chunk id window + j of the record
    const int* inlineIds = (i < NEAR_RECORDS ? shared.records[i] : a.records + (long(blockIdx.x) * a.recordCap + i) * RECORD) + 8;
    int ids = lane < INLINE_CHUNKS ? inlineIds[lane] : 0;
    bool inlined = true;
    for (int done = 0; done < tokens; done += TILE, cursor.next()) {
      int count = (min(TILE, tokens - done) + 7) & ~7;
      u32 bar = sharedAddress(&shared.full[cursor.stage]);
      u32 to = sharedAddress(shared.ring[cursor.stage]);
      barrierWait(sharedAddress(&shared.empty[cursor.stage]), cursor.phase ^ 1);
      bool query = QUERY_IN_STAGE && done == 0 && single;
#if __CUDA_ARCH__ >= 900
      if (lane == 0) barrierExpect(bar, count / 8 * KV_BAND_BYTES * 2 + (query ? QUERY_BYTES : 0));
#endif
      if (query) {
        const unsigned char* from = reinterpret_cast<const unsigned char*>(a.q + r.firstRow * a.qStride + blockIdx.y * GROUP * HEAD_DIM);
#if __CUDA_ARCH__ >= 900
        if (lane == 0) bulkCopy(to + 2 * TILE_BYTES, from, QUERY_BYTES, bar);
#else
        for (int x = lane * 16; x < QUERY_BYTES; x += 512) copy16(to + 2 * TILE_BYTES + x, from + x);
#endif
      }
      for (int position = first + done, end = position + count; position < end;) {
        int index = position / CHUNK - base;
        int slot = position % CHUNK;
        int piece = min(end - position, CHUNK - slot);
        if (index - window >= (inlined ? INLINE_CHUNKS : 32)) {
          window = index;
          inlined = false;
          // Ids behind the record's end may be read; the table has 32 to spare.
          ids = a.chunkIds[chunkStart + index + lane];
        }
        int chunk = __shfl_sync(~0u, ids, index - window);
        const unsigned char* from = a.kv + (long(chunk) * gridDim.y + blockIdx.y) * 2 * KV_TILE_BYTES + slot / 8 * KV_BAND_BYTES;
        u32 bytes = piece / 8 * KV_BAND_BYTES;
#if __CUDA_ARCH__ >= 900
        if (lane == 0) {
          bulkCopyPassing(to, from, bytes, bar, policy);
          bulkCopyPassing(to + TILE_BYTES, from + KV_TILE_BYTES, bytes, bar, policy);
        }
#else
        for (u32 x = lane * 16; x < bytes; x += 512) {
          copy16(to + x, from + x);
          copy16(to + TILE_BYTES + x, from + KV_TILE_BYTES + x);
        }
#endif
        position += piece;
        to += bytes;
      }
#if __CUDA_ARCH__ < 900
      copyArrive(bar);
#endif
    }
  }
}

__device__ __forceinline__ static void computeRecords(const Arguments& a, Shared& shared) {
  int warp = uniform(threadIdx.x / 32);
  Cursor cursor;
  u32 turn = 0;
  u32 wide = 0;  // tiles of 8-bit KV that came in 16 bits so far
  int singles = 0;
  Record next = loadRecord(a, shared, 0);
  for (int i = 0;; i++) {
    Record r = next;
    if (r.tokens == 0) break;
    next = loadRecord(a, shared, i + 1);
    int bands = (r.rows * GROUP + 15) / 16;
    if (r.rows == 1) {
      if (singles++ % 2 == warp / 4) {
        Segment<4, true>(a, shared, warp).run(r, cursor, turn);
      } else {
        Segment<4, true>(a, shared, warp).pass(r, cursor);
      }
    } else if (bands == 1) {
      Segment<8, false>(a, shared, warp).run(r, cursor, turn);
    } else if (bands == 2) {
      Segment<4, false>(a, shared, warp).run(r, cursor, turn);
    } else if constexpr (GROUPED) {
      Segment<1, false>(a, shared, warp).run(r, cursor, turn, wide);
    } else if (bands <= 4 || ROW_CAP <= 64) {
      Segment<2, false>(a, shared, warp).run(r, cursor, turn);
    } else {
      Segment<1, false>(a, shared, warp).run(r, cursor, turn);
    }
    if (r.partial >= 0) {
      __threadfence_block();
      __syncwarp();
      if (threadIdx.x % 32 == 0) atomicExch(&shared.done[warp], i + 1);
    }
  }
}

extern "C" __global__ void __launch_bounds__(THREADS, 1)
attention(const unsigned char* kv, const Io* q, long qStride, Out* out, long outStride, const int* records, const int* lengths, const int* chunkIds,
          const int* rowPosition, const int* rowPartialStart, const int* rowPartial, float* partialO, float* partialMl, int* ready, const int* waits, int recordCap, int waitCap,
          float scale
#if OUT_TWIN
          , unsigned short* twin
#endif
          ) {
  extern __shared__ __align__(1024) unsigned char raw[];
  Shared& shared = *reinterpret_cast<Shared*>(raw);
  Arguments a{kv, q, qStride, out, outStride, records, lengths, chunkIds, rowPosition, rowPartialStart, rowPartial, partialO, partialMl, ready, waits,
              recordCap, waitCap, scale * 1.4426950408889634f
#if OUT_TWIN
              , twin
#endif
  };
  int near = min(recordCap, NEAR_RECORDS);
  const int4* from = reinterpret_cast<const int4*>(records + long(blockIdx.x) * recordCap * RECORD);
  for (int i = threadIdx.x; i < near * RECORD / 4; i += THREADS) reinterpret_cast<int4*>(shared.records)[i] = from[i];
  if (threadIdx.x < NEAR_RECORDS) shared.lengths[threadIdx.x] = threadIdx.x < near ? lengths[long(blockIdx.x) * recordCap + threadIdx.x] : 0;
  if (threadIdx.x == 0) {
    for (int i = 0; i < STAGES; i++) {
      barrierInit(sharedAddress(&shared.full[i]), __CUDA_ARCH__ >= 900 ? 1 : 32);
      barrierInit(sharedAddress(&shared.empty[i]), RELEASES);
    }
    if constexpr (WIDENERS > 0) initWidening(shared);
    shared.ownedCount = 0;
    for (int i = 0; i < CONSUMERS; i++) shared.done[i] = 0;
#if __CUDA_ARCH__ >= 900
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
#endif
  }
  afterPredecessor();
  // Launches are counted: flags of former ones are not equal to this one's number.
  if (threadIdx.x == COPY_THREADS - 1) shared.epoch = *reinterpret_cast<volatile int*>(ready) + 1;
  __syncthreads();
  if (threadIdx.x / 32 < CONSUMERS) {
#if WGMMA
    if constexpr (WIDENERS > 0) {
      asm volatile("setmaxnreg.inc.sync.aligned.u32 200;");
    } else {
      asm volatile("setmaxnreg.inc.sync.aligned.u32 208;");
    }
#endif
    computeRecords(a, shared);
    mergeOwned<false>(a, shared, threadIdx.x / 32);
  } else {
#if WGMMA
    if constexpr (WIDENERS > 0) {
      asm volatile("setmaxnreg.dec.sync.aligned.u32 56;");
    } else {
      asm volatile("setmaxnreg.dec.sync.aligned.u32 88;");
    }
#endif
    if (threadIdx.x / 32 == CONSUMERS) {
      copyTiles(a, shared);
    } else if (threadIdx.x >= COPY_THREADS) {
      if constexpr (WIDENERS > 0) widenRecords(a, shared);
    } else {
      if (threadIdx.x == COPY_THREADS - 1) {
        __threadfence();
        u32 blocks = gridDim.x * gridDim.y;
        if (atomicInc(reinterpret_cast<u32*>(ready) + 1, blocks - 1) == blocks - 1) ready[0] = shared.epoch;
      }
      int helper = threadIdx.x / 32 - CONSUMERS - 1;
      if (helper == 0) {
        signalRecords(a, shared);
      } else if (helper == 1) {
        awaitRecords(a, shared);
      } else {
        listOwned(a, shared, 0);
      }
      if constexpr (MERGERS > CONSUMERS) {
        mergeOwned<true>(a, shared, CONSUMERS + helper);
      } else {
        groupSync(9, 32 * (CONSUMERS + HELPERS));
      }
    }
  }
}
