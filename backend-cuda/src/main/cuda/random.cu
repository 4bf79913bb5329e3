// Random weights for measurements: the values of RandomWeight.java, bit for bit.
// PRODUCT_TYPE: of the result (numbers.cuh). Rows of the result are out_stride values apart.
#include "numbers.cuh"

// The final steps of splitmix64.
__device__ __forceinline__ unsigned long long mix(unsigned long long x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ x >> 27) * 0x94d049bb133111ebull;
  return x ^ x >> 31;
}

extern "C" __global__ void random_weight(
    unsigned long long seed,
    float spread,
    long count,
    int columns,
    Stored<PRODUCT_TYPE>::T* __restrict__ out,
    int out_stride) {
  for (long i = blockIdx.x * (long)blockDim.x + threadIdx.x; i < count;
       i += (long)gridDim.x * blockDim.x) {
    int random = (int)(mix(seed + 0x9e3779b97f4a7c15ull * i) >> 40);
    float value = (random - (1 << 23)) * 0x1p-23f * spread;
    float rounded = widen<BF16>(narrow<BF16>(value));
    out[i / columns * out_stride + i % columns] = narrow<PRODUCT_TYPE>(rounded);
  }
}

// The same in tiles of Q8_0 (quantised.cu): any bytes will do, and one scale. Eight bytes a thread.
extern "C" __global__ void random_q8(
    unsigned long long seed,
    float spread,
    long values,  // a multiple of 512
    unsigned long long* __restrict__ weights,
    unsigned short* __restrict__ scales) {
  for (long i = blockIdx.x * (long)blockDim.x + threadIdx.x; i < values / 8; i += (long)gridDim.x * blockDim.x) {
    weights[i] = mix(seed + 0x9e3779b97f4a7c15ull * i);
    if (i % 4 == 0) {
      scales[i / 4] = narrow<F16>(spread / 128);
    }
  }
}
