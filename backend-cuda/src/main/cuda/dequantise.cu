// Weights as they lie in their file to the type that products read. One thread a value; every
// operation rounds as the reference reader's does, so results are the same bits.
// PRODUCT_TYPE: of the result (numbers.cuh). Rows of the result are out_stride values apart.
// Where that is fp16, *beyond gets mark if a value does not fit.
#include "numbers.cuh"

typedef unsigned char byte;

// Any alignment: files promise none beyond 2.
__device__ __forceinline__ unsigned half_bits(const byte* at) { return at[0] | at[1] << 8; }

__device__ __forceinline__ float half(const byte* at) { return widen<F16>(half_bits(at)); }

// Six bits each: bytes 0-3 and 4-7 hold the first four scales and minima, whose top two bits are
// those of the last four; bytes 8-11 hold the low four bits of the last ones.
__device__ __forceinline__ int scale6(const byte* at, int part) {
  return part < 4 ? at[part] & 63 : (at[part + 4] & 15) | (at[part - 4] >> 6) << 4;
}

__device__ __forceinline__ int minimum6(const byte* at, int part) {
  return part < 4 ? at[part + 4] & 63 : at[part + 4] >> 4 | (at[part] >> 6) << 4;
}

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

// half d, int8 q[32]
struct Q8_0 {
  static const int VALUES = 32, BYTES = 34;
  static __device__ float value(const byte* at, int i) {
    return __fmul_rn((float)(signed char)at[2 + i], half(at));
  }
};

// half d, 16 bytes of nibbles: low ones are values 0..15
struct Q4_0 {
  static const int VALUES = 32, BYTES = 18;
  static __device__ float value(const byte* at, int i) {
    int q = i < 16 ? at[2 + i] & 15 : at[2 + i - 16] >> 4;
    return __fmul_rn(half(at), (float)(q - 8));
  }
};

// half d, half m, nibbles
struct Q4_1 {
  static const int VALUES = 32, BYTES = 20;
  static __device__ float value(const byte* at, int i) {
    int q = i < 16 ? at[4 + i] & 15 : at[4 + i - 16] >> 4;
    return __fadd_rn(__fmul_rn(half(at), (float)q), half(at + 2));
  }
};

__device__ __forceinline__ float scaled(const byte* at, int part, int q) {
  float scale = __fmul_rn(half(at), (float)scale6(at + 4, part));
  float offset = __fmul_rn(half(at + 2), (float)minimum6(at + 4, part));
  return __fadd_rn(__fmul_rn(scale, (float)q), -offset);
}

// half d, half dmin, 12 bytes of scales and minima, 128 bytes of nibbles
struct Q4_K {
  static const int VALUES = 256, BYTES = 144;
  static __device__ float value(const byte* at, int i) {
    int part = i / 32;
    int q = at[16 + 32 * (part / 2) + i % 32] >> (part & 1) * 4 & 15;
    return scaled(at, part, q);
  }
};

// As Q4_K with 32 bytes of fifth bits before the nibbles.
struct Q5_K {
  static const int VALUES = 256, BYTES = 176;
  static __device__ float value(const byte* at, int i) {
    int part = i / 32;
    int low = at[48 + 32 * (part / 2) + i % 32] >> (part & 1) * 4 & 15;
    int high = at[16 + i % 32] >> part & 1;
    return scaled(at, part, low | high << 4);
  }
};

// 128 bytes of low nibbles, 64 bytes of high bit pairs, int8 scale[16], half d
struct Q6_K {
  static const int VALUES = 256, BYTES = 210;
  static __device__ float value(const byte* at, int i) {
    int part = i / 32;
    int quarter = part & 3;
    int low = at[64 * (part / 4) + 32 * (quarter & 1) + i % 32] >> (quarter / 2) * 4 & 15;
    int high = at[128 + 32 * (part / 4) + i % 32] >> 2 * quarter & 3;
    float scale = __fmul_rn(half(at + 208), (float)(signed char)at[192 + 2 * part + i % 32 / 16]);
    return __fmul_rn(scale, (float)((low | high << 4) - 32));
  }
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
