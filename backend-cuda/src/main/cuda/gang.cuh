// Blocks that work on one row together. All blocks of the launch are on the GPU at once.
// Needs THREADS.
#pragma once
#include "numbers.cuh"

typedef unsigned long long u64;

#define WARPS (THREADS / WARP)
#define PARTS_MAX 32   // blocks of a gang, at most
#define BINS 2048
#define LISTED_MAX 128
#define HISTOGRAMS 3   // in turn, so that one is cleared while others are in use

struct Slot {  // what a block tells the others
  u64 a, b;
};

// A gang's memory; zero at first, and again after each launch but for round and slots.
struct GangMemory {
  unsigned arrived;
  unsigned round;
  unsigned listed;
  unsigned unused;
  u64 list[LISTED_MAX];
  Slot slots[2][PARTS_MAX];
  unsigned counts[HISTOGRAMS][BINS];
  u64 masses[HISTOGRAMS][BINS];
};

struct Gang {
  GangMemory* memory;
  int parts;     // blocks
  int part;      // which of them this is
  int exchange;  // slots to use next
  int histogram; // to use next
  int dirty;     // histogram that all have read once they meet again; -1: none
};

// All blocks of the gang wait for each other; what they wrote before can be read (__ldcg) after.
__device__ inline void meet(Gang& gang) {
  __syncthreads();
  if (gang.parts > 1) {
    if (threadIdx.x == 0) {
      volatile unsigned* now = &gang.memory->round;
      unsigned round = *now;
      __threadfence();
      if (atomicAdd(&gang.memory->arrived, 1) == gang.parts - 1) {
        atomicExch(&gang.memory->arrived, 0);
        __threadfence();
        atomicAdd(&gang.memory->round, 1);
      } else {
        while (*now == round) {
          __nanosleep(20);
        }
      }
      __threadfence();
    }
    __syncthreads();
    if (gang.dirty >= 0) {
      for (int b = gang.part * THREADS + threadIdx.x; b < BINS; b += gang.parts * THREADS) {
        __stcg(&gang.memory->counts[gang.dirty][b], 0u);
        __stcg(&gang.memory->masses[gang.dirty][b], (u64)0);
      }
      gang.dirty = -1;
    }
  }
}

// Tells the others mine (of thread 0) and learns theirs, in the order of parts.
__device__ inline void exchange(Gang& gang, Slot mine, Slot* all) {
  if (gang.parts == 1) {
    if (threadIdx.x == 0) {
      all[0] = mine;
    }
    __syncthreads();
    return;
  }
  Slot* slots = gang.memory->slots[gang.exchange];
  if (threadIdx.x == 0) {
    __stcg(&slots[gang.part].a, mine.a);
    __stcg(&slots[gang.part].b, mine.b);
  }
  meet(gang);
  if (threadIdx.x < gang.parts) {
    all[threadIdx.x].a = __ldcg(&slots[threadIdx.x].a);
    all[threadIdx.x].b = __ldcg(&slots[threadIdx.x].b);
  }
  gang.exchange ^= 1;
  __syncthreads();
}
