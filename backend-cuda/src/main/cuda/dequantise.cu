// Weights as they lie in their file to the type that products read. One thread a value; every
// operation rounds as the reference reader's does, so results are the same bits.
// PRODUCT_TYPE: of the result (numbers.cuh). Rows of the result are out_stride values apart.
// Where that is fp16, *beyond gets mark if a value does not fit.
#include "formats.cuh"

struct PlainF32 {
  static const int VALUES = 1, BYTES = 4;
  static __device__ float value(const byte* at, int) {
    return __int_as_float(half_bits(at) | half_bits(at + 2) << 16);
  }
};

struct PlainF16 {
  static const int VALUES = 1, BYTES = 2;
  static __device__ float value(const byte* at, int) { return half(at); }
};

struct PlainBf16 {
  static const int VALUES = 1, BYTES = 2;
  static __device__ float value(const byte* at, int) { return widen<BF16>(half_bits(at)); }
};

template <typename Format>
__device__ void dequantise(
    const byte* data,
    long count,
    int columns,
    Stored<PRODUCT_TYPE>::T* out,
    int out_stride,
    int* beyond,
    int mark) {
  for (long i = blockIdx.x * (long)blockDim.x + threadIdx.x; i < count;
       i += (long)gridDim.x * blockDim.x) {
    const byte* block = data + i / Format::VALUES * Format::BYTES;
    float value = Format::value(block, (int)(i % Format::VALUES));
    if (PRODUCT_TYPE == F16 && !(fabsf(value) <= 65504.0f)) {
      *beyond = mark;
    }
    out[i / columns * out_stride + i % columns] = narrow<PRODUCT_TYPE>(value);
  }
}

#define DEQUANTISE(name, Format)                                                            \
  extern "C" __global__ void name(                                                          \
      const byte* __restrict__ data,                                                        \
      long count,                                                                           \
      int columns,                                                                          \
      Stored<PRODUCT_TYPE>::T* __restrict__ out,                                            \
      int out_stride,                                                                       \
      int* __restrict__ beyond,                                                             \
      int mark) {                                                                           \
    dequantise<Format>(data, count, columns, out, out_stride, beyond, mark);                \
  }

DEQUANTISE(dequantise_f32, PlainF32)
DEQUANTISE(dequantise_f16, PlainF16)
DEQUANTISE(dequantise_bf16, PlainBf16)
DEQUANTISE(dequantise_q8_0, Q8_0)
DEQUANTISE(dequantise_q4_0, Q4_0)
DEQUANTISE(dequantise_q4_1, Q4_1)
DEQUANTISE(dequantise_q4_k, Q4_K)
DEQUANTISE(dequantise_q5_k, Q5_K)
DEQUANTISE(dequantise_q6_k, Q6_K)
