// Records, the units of a block's work, and the flags by which blocks tell each other which records are complete.
#pragma once
#include "shape.cuh"

struct Record {
  int firstRow, rows, firstToken, flags, partial, chunkStart, tokens;
};

// Of a record's first 8 ints in the lanes 0 .. 7 and its length in lane 8.
__device__ __forceinline__ static Record recordOf(int value) {
  Record r;
  r.firstRow = __shfl_sync(~0u, value, 0);
  r.rows = __shfl_sync(~0u, value, 1);
  r.firstToken = __shfl_sync(~0u, value, 2);
  r.flags = __shfl_sync(~0u, value, 3);
  r.partial = __shfl_sync(~0u, value, 4);
  r.chunkStart = __shfl_sync(~0u, value, 5);
  r.tokens = __shfl_sync(~0u, value, 8);
  return r;
}

// All fields by one load of the warp; tokens = 0 behind the last record.
__device__ __forceinline__ static Record loadRecord(const Arguments& a, const Shared& shared, int i) {
  int lane = threadIdx.x % 32;
  int value = 0;
  if (i < NEAR_RECORDS) {
    value = lane < 8 ? shared.records[i][lane] : lane == 8 ? shared.lengths[i] : 0;
  } else if (i < a.recordCap) {
    long at = long(blockIdx.x) * a.recordCap + i;
    value = lane < 8 ? a.records[at * RECORD + lane] : lane == 8 ? a.lengths[at] : 0;
  }
  return recordOf(value);
}

__device__ __forceinline__ int* readyFlag(const Arguments& a, long record) { return a.ready + READY_HEAD + record * gridDim.y + blockIdx.y; }

__device__ __forceinline__ int acquire(const int* p) {
  int x;
  asm volatile("ld.acquire.gpu.global.b32 %0, [%1];" : "=r"(x) : "l"(p) : "memory");
  return x;
}

// One warp tells other blocks which records are complete.
__device__ __forceinline__ static void signalRecords(const Arguments& a, Shared& shared) {
  int lane = threadIdx.x % 32;
  for (int i = 0;; i++) {
    Record r = loadRecord(a, shared, i);
    if (r.tokens == 0) return;
    if ((r.flags & SIGNAL) == 0) continue;
    while (!__all_sync(~0u, lane >= CONSUMERS || atomicAdd(&shared.done[lane % CONSUMERS], 0) > i)) __nanosleep(20);
    __threadfence();
    __syncwarp();
    if (lane == 0) {
      *reinterpret_cast<volatile int*>(readyFlag(a, long(blockIdx.x) * a.recordCap + i)) = shared.epoch;
    }
    __syncwarp();
  }
}

// One warp waits until the records that this block's rows need are complete.
__device__ __forceinline__ static void awaitRecords(const Arguments& a, const Shared& shared) {
  for (int i = threadIdx.x % 32; i < a.waitCap; i += 32) {
    int record = a.waits[long(blockIdx.x) * a.waitCap + i];
    if (record < 0) break;
    const int* flag = readyFlag(a, record);
    while (acquire(flag) != shared.epoch) {
    }
  }
  __syncwarp();
}
