// The copying warp: K and V of all records, tile by tile, into the ring.
#pragma once
#include "records.cuh"
#include "ring.cuh"

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
  Cursor arriving;               // the first tile that is not known to have arrived
  int waiting = 0, started = 0;  // tiles asked for: from that one on, and all
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
    u32 to = keysAt(shared, cursor);
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
      awaitTile(shared, arriving);
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
