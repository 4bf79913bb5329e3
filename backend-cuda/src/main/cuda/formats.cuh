// Quantised weights as they lie in their files (GGML's blocks): quants as integers, values as the reference reader computes them,
// every operation rounded as there. BITS: of a quant. ZERO: the quant of value 0. SCALED: values of one scale.
// OFFSET: a value is scale * quant + offset.
#pragma once
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

// d * q
__device__ __forceinline__ float plain(float d, int q) { return __fmul_rn(d, (float)q); }

// d * q + m
__device__ __forceinline__ float shifted(float d, int q, float m) { return __fadd_rn(plain(d, q), m); }

// (d * scale) * q - dmin * minimum
__device__ __forceinline__ float twice_scaled(float d, int scale, int q, float dmin, int minimum) {
  return shifted(plain(d, scale), q, -plain(dmin, minimum));
}

// half d, int8 q[32]
struct Q8_0 {
  static const int VALUES = 32, BYTES = 34, BITS = 8, ZERO = 0, SCALED = 32;
  static const bool OFFSET = false;
  static __device__ int quant(const byte* at, int i) { return (signed char)at[2 + i]; }
  static __device__ float value(const byte* at, int i) { return plain(half(at), quant(at, i)); }
};

// half d, 16 bytes of nibbles: low ones are values 0..15
struct Q4_0 {
  static const int VALUES = 32, BYTES = 18, BITS = 4, ZERO = 8, SCALED = 32;
  static const bool OFFSET = false;
  static __device__ int quant(const byte* at, int i) { return i < 16 ? at[2 + i] & 15 : at[2 + i - 16] >> 4; }
  static __device__ float value(const byte* at, int i) { return plain(half(at), quant(at, i) - ZERO); }
};

// half d, half m, nibbles
struct Q4_1 {
  static const int VALUES = 32, BYTES = 20, BITS = 4, ZERO = 0, SCALED = 32;
  static const bool OFFSET = true;
  static __device__ int quant(const byte* at, int i) { return i < 16 ? at[4 + i] & 15 : at[4 + i - 16] >> 4; }
  static __device__ float value(const byte* at, int i) { return shifted(half(at), quant(at, i), half(at + 2)); }
};

// half d, half dmin, 12 bytes of scales and minima, 128 bytes of nibbles
struct Q4_K {
  static const int VALUES = 256, BYTES = 144, BITS = 4, ZERO = 0, SCALED = 32;
  static const bool OFFSET = true;
  static __device__ int quant(const byte* at, int i) {
    int part = i / 32;
    return at[16 + 32 * (part / 2) + i % 32] >> (part & 1) * 4 & 15;
  }
  static __device__ float value(const byte* at, int i) {
    return twice_scaled(half(at), scale6(at + 4, i / 32), quant(at, i), half(at + 2), minimum6(at + 4, i / 32));
  }
};

// As Q4_K with 32 bytes of fifth bits before the nibbles.
struct Q5_K {
  static const int VALUES = 256, BYTES = 176, BITS = 5, ZERO = 0, SCALED = 32;
  static const bool OFFSET = true;
  static __device__ int quant(const byte* at, int i) {
    int part = i / 32;
    int low = at[48 + 32 * (part / 2) + i % 32] >> (part & 1) * 4 & 15;
    return low | (at[16 + i % 32] >> part & 1) << 4;
  }
  static __device__ float value(const byte* at, int i) {
    return twice_scaled(half(at), scale6(at + 4, i / 32), quant(at, i), half(at + 2), minimum6(at + 4, i / 32));
  }
};

// 128 bytes of low nibbles, 64 bytes of high bit pairs, int8 scale[16], half d
struct Q6_K {
  static const int VALUES = 256, BYTES = 210, BITS = 6, ZERO = 32, SCALED = 16;
  static const bool OFFSET = false;
  static __device__ int quant(const byte* at, int i) {
    int part = i / 32;
    int quarter = part & 3;
    int low = at[64 * (part / 4) + 32 * (quarter & 1) + i % 32] >> (quarter / 2) * 4 & 15;
    return low | (at[128 + 32 * (part / 4) + i % 32] >> 2 * quarter & 3) << 4;
  }
  static __device__ int scale(const byte* at, int sixteenth) { return (signed char)at[192 + sixteenth]; }
  static __device__ float value(const byte* at, int i) {
    return plain(plain(half(at + 208), scale(at, i / 16)), quant(at, i) - ZERO);
  }
};
