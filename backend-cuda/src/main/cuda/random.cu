// Random weights for measurements: the values of RandomWeight.java, bit for bit.
// PRODUCT_TYPE: of the result (numbers.cuh). Rows of the result are out_stride values apart.
#include "mix.cuh"
#include "numbers.cuh"

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
