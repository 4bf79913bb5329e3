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
class Copies {
 public:
  __device__ __forceinline__ Copies(const Arguments& arguments, Shared& sharedMemory) : a(arguments), shared(sharedMemory), lane(threadIdx.x % 32) {
#if __CUDA_ARCH__ >= 900
    policy = passing();
#endif
  }

  // What this lane reads of the first record, in global memory: other warps still put the tables into shared memory.
  __device__ __forceinline__ int firstWord() const {
    long at = long(blockIdx.x) * a.recordCap;
    return *(lane == 8 ? a.lengths + at : a.records + at * RECORD + (lane < 8 ? lane : 8 + lane % INLINE_CHUNKS));
  }

  __device__ __forceinline__ void beginFirst(int word) {
    r = recordOf(word);
    begin(__shfl_sync(~0u, word, 16 + lane % INLINE_CHUNKS));
  }

  // The first tile, ahead of the block's barrier.
  __device__ __forceinline__ void copyFirst() {
    if (r.tokens > 0) copyTile(0);
  }

  __device__ __forceinline__ void copyOthers() {
    for (int i = 0, done = TILE;; done = 0) {
      if (r.tokens == 0) return;
      for (; done < r.tokens; done += TILE) copyTile(done);
      r = loadRecord(a, shared, ++i);
      const int* inlineIds = (i < NEAR_RECORDS ? shared.records[i] : a.records + (long(blockIdx.x) * a.recordCap + min(i, a.recordCap - 1)) * RECORD) + 8;
      begin(inlineIds[lane % INLINE_CHUNKS]);
    }
  }

 private:
  const Arguments& a;
  Shared& shared;
  int lane;
#if __CUDA_ARCH__ >= 900
  u64 policy;
#endif
  Cursor cursor;
  Cursor arriving;                // the first tile that is not known to have arrived
  int waiting = 0, started = 0;  // tiles: from that on, and all
  Record r;
  int ids;       // lane j holds the id of the record's chunk window + j
  int window;
  bool inlined;  // of INLINE_CHUNKS

  __device__ __forceinline__ void begin(int inlineIds) {
    ids = inlineIds;
    window = 0;
    inlined = true;
  }

  __device__ __forceinline__ void copyTile(int done) {
    int count = (min(TILE, r.tokens - done) + 7) & ~7;
    u32 bar = sharedAddress(&shared.full[cursor.stage]);
    u32 to = sharedAddress(shared.ring[cursor.stage]);
    awaitArrivals();
    barrierWait(sharedAddress(&shared.empty[cursor.stage]), cursor.phase ^ 1);
    bool query = QUERY_IN_STAGE && done == 0 && r.rows == 1;
#if __CUDA_ARCH__ >= 900
    if (lane == 0) barrierExpect(bar, count / 8 * KV_BAND_BYTES * 2 + (query ? QUERY_BYTES : 0));
#endif
    if (query) copyQuery(to + 2 * TILE_BYTES, bar);
    for (int position = r.firstToken + done, end = position + count; position < end;) {
      int slot = position % CHUNK;
      int piece = min(end - position, CHUNK - slot);
      copyPiece(to, chunkOf(position), slot, piece, bar);
      position += piece;
      to += piece / 8 * KV_BAND_BYTES;
    }
#if __CUDA_ARCH__ < 900
    copyArrive(bar);
#endif
    cursor.next();
  }

  // Until one more tile may be on its way.
  __device__ __forceinline__ void awaitArrivals() {
    for (; waiting >= (started < IN_FLIGHT_FIRST ? IN_FLIGHT_FIRST : IN_FLIGHT); waiting--, arriving.next()) {
      barrierWait(sharedAddress(&shared.full[arriving.stage]), arriving.phase);
    }
    waiting++;
    started++;
  }

  __device__ __forceinline__ void copyQuery(u32 to, u32 bar) {
    const unsigned char* from = reinterpret_cast<const unsigned char*>(a.q + r.firstRow * a.qStride + blockIdx.y * GROUP * HEAD_DIM);
#if __CUDA_ARCH__ >= 900
    if (lane == 0) bulkCopy(to, from, QUERY_BYTES, bar);
#else
    for (int x = lane * 16; x < QUERY_BYTES; x += 512) copy16(to + x, from + x);
#endif
  }

  __device__ __forceinline__ int chunkOf(int position) {
    int index = position / CHUNK - r.firstToken / CHUNK;
    if (index - window >= (inlined ? INLINE_CHUNKS : 32)) {
      window = index;
      inlined = false;
      // Ids behind the record's end may be read; the table has 32 to spare.
      ids = a.chunkIds[r.chunkStart + index + lane];
    }
    return __shfl_sync(~0u, ids, index - window);
  }

  __device__ __forceinline__ void copyPiece(u32 to, int chunk, int slot, int tokens, u32 bar) {
    const unsigned char* from = a.kv + (long(chunk) * gridDim.y + blockIdx.y) * 2 * KV_TILE_BYTES + slot / 8 * KV_BAND_BYTES;
    u32 bytes = tokens / 8 * KV_BAND_BYTES;
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
  }
};

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
    if (threadIdx.x == COPY_THREADS - 1) shared.epoch = *reinterpret_cast<volatile int*>(ready) + 1;
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
