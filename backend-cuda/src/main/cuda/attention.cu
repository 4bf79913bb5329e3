// Attention over a forest of shared chunk runs, in one launch. A block has 8 computing warps, one that copies, helpers that signal, wait
// and merge, and for 8-bit KV with warpgroup products warps that widen it. See README.md.
#include "copies.cuh"
#include "merge.cuh"
#include "segment.cuh"
#include "widen.cuh"

extern "C" {
__constant__ int attention_shared_bytes = sizeof(Shared);
__constant__ int attention_row_cap = ROW_CAP;
__constant__ int attention_threads = THREADS;
}

__device__ __forceinline__ static void initBarriers(Shared& shared) {
  for (int i = 0; i < STAGES; i++) {
    barrierInit(sharedAddress(&shared.full[i]), __CUDA_ARCH__ >= 900 ? 1 : 32);
    barrierInit(sharedAddress(&shared.empty[i]), RELEASES);
  }
  if constexpr (WIDENERS > 0) initWidening(shared);
#if __CUDA_ARCH__ >= 900
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
#endif
  readsBeforeCopies();  // copies of this warp signal these barriers before the block meets
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
        Segment<4, true>(a, shared, warp).run(r, cursor, turn, wide);
      } else {
        Segment<4, true>(a, shared, warp).pass(r, cursor);
      }
    } else if (bands == 1) {
      Segment<8, false>(a, shared, warp).run(r, cursor, turn, wide);
    } else if (bands == 2) {
      Segment<4, false>(a, shared, warp).run(r, cursor, turn, wide);
    } else if constexpr (GROUPED) {
      Segment<1, false>(a, shared, warp).run(r, cursor, turn, wide);
    } else if (bands <= 4 || ROW_CAP <= 64) {
      Segment<2, false>(a, shared, warp).run(r, cursor, turn, wide);
    } else {
      Segment<1, false>(a, shared, warp).run(r, cursor, turn, wide);
    }
    if (r.flags & SIGNAL) {  // other records' states are read behind the block's barrier alone
      __threadfence_block();
      __syncwarp();
      if (threadIdx.x % 32 == 0) atomicExch(&shared.done[warp], i + 1);
    }
  }
}

// What the block's warps read often, by all but the copying one. All loads are on their way before the first is waited for.
__device__ __forceinline__ static void readTables(const Arguments& a, Shared& shared) {
  constexpr int READERS = THREADS - 32;
  static_assert(NEAR_RECORDS * RECORD / 4 <= 2 * READERS && NEAR_RECORDS <= READERS, "");
  int thread = threadIdx.x - (threadIdx.x / 32 > CONSUMERS ? 32 : 0);
  int near = min(a.recordCap, NEAR_RECORDS);
  int pieces = near * RECORD / 4;
  long at = long(blockIdx.x) * a.recordCap;
  const int4* from = reinterpret_cast<const int4*>(a.records + at * RECORD) + thread;
  int4* to = reinterpret_cast<int4*>(shared.records) + thread;
  int4 first, second;
  int length = 0;
  if (thread < pieces) first = from[0];
  if (thread + READERS < pieces) second = from[READERS];
  if (thread < near) length = a.lengths[at + thread];
  if (thread == 0) shared.ownedCount = 0;
  if (thread < CONSUMERS) shared.done[thread] = 0;
  if (thread < pieces) to[0] = first;
  if (thread + READERS < pieces) to[READERS] = second;
  if (thread < NEAR_RECORDS) shared.lengths[thread] = length;
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
  bool copying = threadIdx.x / 32 == CONSUMERS;
  Copies copies(a, shared);
  if (copying) {
    int word = copies.firstWord();
    if (threadIdx.x % 32 == 0) initBarriers(shared);
    __syncwarp();
    copies.beginFirst(word);
    afterPredecessor();
    copies.copyFirst();
  } else {
    readTables(a, shared);
    afterPredecessor();
    // Launches are counted: flags of former ones are not equal to this one's number.
    if (threadIdx.x == BASE_THREADS - 1) shared.epoch = *reinterpret_cast<volatile int*>(ready) + 1;
  }
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
    if (copying) {
      copies.copyOthers();
    } else if (threadIdx.x >= BASE_THREADS) {
      if constexpr (WIDENERS > 0) widenRecords(a, shared);
    } else {
      if (threadIdx.x == BASE_THREADS - 1) {
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
