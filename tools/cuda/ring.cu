// How compute-sanitizer's racecheck sees a ring of bulk copies, in one small kernel: one warp copies, others read and release.
//   nvcc -gencode=arch=compute_90a,code=sm_90a -lineinfo -o ring tools/cuda/ring.cu
//   compute-sanitizer --tool racecheck ./ring RELEASE PIECES
// RELEASE: how a warp that has read a stage lets go of it.
//   lane    __syncwarp, then its first lane arrives: ordered (bar.warp.sync orders the lanes' accesses, the arrive is a release)
//   all     every lane arrives
//   fence   as lane, after fence.proxy.async in every lane
//   both    as all, after the fence
//   none    the first lane arrives without __syncwarp: a race, the tool must say so
//   early   the first lane arrives before its warp reads: a race
// PIECES: bulk copies of a stage, which complete on one barrier.
// docs/kernels.md says what came out.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

enum Release { LANE, ALL, FENCE, BOTH, NONE, EARLY };

constexpr int WARPS = 4;       // that read
constexpr int STAGES = 2;
constexpr int WORDS = 1024;    // of a stage
constexpr int TILES = 64;

__device__ unsigned shared_address(const void* p) { return unsigned(__cvta_generic_to_shared(p)); }

__device__ void wait(unsigned bar, unsigned parity) {
  asm volatile("{ .reg .pred p; again: mbarrier.try_wait.parity.shared.b64 p, [%0], %1; @!p bra again; }" ::"r"(bar), "r"(parity) : "memory");
}

__device__ void arrive(unsigned bar) { asm volatile("{ .reg .b64 t; mbarrier.arrive.shared.b64 t, [%0]; }" ::"r"(bar) : "memory"); }

template <int RELEASE>
__device__ void release(unsigned bar) {
  if (RELEASE == FENCE || RELEASE == BOTH) asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
  if (RELEASE == ALL || RELEASE == BOTH) {
    arrive(bar);
  } else {
    if (RELEASE != NONE && RELEASE != EARLY) __syncwarp();
    if (threadIdx.x % 32 == 0) arrive(bar);
  }
}

template <int RELEASE>
__global__ void ring(const unsigned* from, unsigned* sums, int pieces) {
  __shared__ __align__(128) unsigned stages[STAGES][WORDS];
  __shared__ unsigned long long full[STAGES], empty[STAGES];
  int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  if (threadIdx.x == 0) {
    for (int i = 0; i < STAGES; i++) {
      asm volatile("mbarrier.init.shared.b64 [%0], 1;" ::"r"(shared_address(&full[i])) : "memory");
      int count = RELEASE == ALL || RELEASE == BOTH ? 32 * WARPS : WARPS;
      asm volatile("mbarrier.init.shared.b64 [%0], %1;" ::"r"(shared_address(&empty[i])), "r"(count) : "memory");
    }
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  }
  __syncthreads();
  unsigned sum = 0;
  for (int tile = 0; tile < TILES; tile++) {
    int stage = tile % STAGES;
    unsigned phase = tile / STAGES % 2;
    unsigned bar = shared_address(&full[stage]);
    if (warp == WARPS) {
      wait(shared_address(&empty[stage]), phase ^ 1);
      if (lane == 0) {
        asm volatile("{ .reg .b64 t; mbarrier.arrive.expect_tx.shared.b64 t, [%0], %1; }" ::"r"(bar), "r"(WORDS * 4) : "memory");
        for (int i = 0; i < pieces; i++) {
          int at = i * (WORDS / pieces);
          asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(shared_address(stages[stage] + at)),
                       "l"(from + tile * WORDS + at), "r"(WORDS / pieces * 4), "r"(bar)
                       : "memory");
        }
      }
    } else {
      wait(bar, phase);
      if (RELEASE == EARLY) release<RELEASE>(shared_address(&empty[stage]));
      for (int i = lane; i < WORDS; i += 32) sum = sum * 31 + stages[stage][(i + warp * 8) % WORDS];  // other words for each lane
      if (RELEASE != EARLY) release<RELEASE>(shared_address(&empty[stage]));
    }
  }
  if (warp < WARPS) sums[threadIdx.x] = sum;
}

static void check(cudaError_t status) {
  if (status != cudaSuccess) {
    fprintf(stderr, "%s\n", cudaGetErrorString(status));
    exit(2);
  }
}

int main(int argc, char** argv) {
  const char* names[] = {"lane", "all", "fence", "both", "none", "early"};
  void (*kernels[])(const unsigned*, unsigned*, int) = {ring<LANE>, ring<ALL>, ring<FENCE>, ring<BOTH>, ring<NONE>, ring<EARLY>};
  int which = -1;
  for (int i = 0; i < 6; i++) {
    if (argc == 3 && strcmp(argv[1], names[i]) == 0) which = i;
  }
  int pieces = argc == 3 ? atoi(argv[2]) : 0;
  if (which < 0 || pieces < 1 || WORDS % (pieces * 4) != 0) {
    fprintf(stderr, "usage: ring lane|all|fence|both|none|early PIECES (1, 2, 4, ...)\n");
    return 2;
  }
  std::vector<unsigned> host(TILES * WORDS), expected(32 * WARPS, 0), got(32 * WARPS);
  for (size_t i = 0; i < host.size(); i++) host[i] = unsigned(i * 2654435761u);
  for (int thread = 0; thread < 32 * WARPS; thread++) {
    for (int tile = 0; tile < TILES; tile++) {
      for (int i = thread % 32; i < WORDS; i += 32) expected[thread] = expected[thread] * 31 + host[tile * WORDS + (i + thread / 32 * 8) % WORDS];
    }
  }
  unsigned *from, *sums;
  check(cudaMalloc(&from, host.size() * 4));
  check(cudaMalloc(&sums, got.size() * 4));
  check(cudaMemcpy(from, host.data(), host.size() * 4, cudaMemcpyHostToDevice));
  kernels[which]<<<1, 32 * (WARPS + 1)>>>(from, sums, pieces);
  check(cudaGetLastError());
  check(cudaMemcpy(got.data(), sums, got.size() * 4, cudaMemcpyDeviceToHost));
  bool same = got == expected;
  printf("ring %s, %d pieces: sums %s\n", names[which], pieces, same ? "right" : "WRONG");
  return same ? 0 : 1;
}
