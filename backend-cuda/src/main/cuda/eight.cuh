// Numbers of 8-bit KV, one by one: e4m3 as it is, int8 with 128 added. A head of a token has the scale
// max |x| / 448 or / 127; the engine's EightBit.java rounds alike, bit for bit.
#pragma once
#include "kv_layout.cuh"

constexpr float EIGHT_MOST = KV_EIGHT == 1 ? 448.0f : 127.0f;
constexpr float EIGHT_LEAST = 0x1p-100f;  // heads of smaller numbers only are zero

// Scale of a head whose largest magnitude is given; `finite`: all its values are.
__device__ __forceinline__ float eightScaleOf(float largest, bool finite) {
  if (!finite) return __int_as_float(0x7fffffff);
  return largest < EIGHT_LEAST ? 0.0f : __fdiv_rn(largest, EIGHT_MOST);
}

// A value as stored: to nearest, ties to even.
__device__ __forceinline__ unsigned narrowEight(float value, float scale) {
  float x = scale > 0 ? __fdiv_rn(value, scale) : 0;  // a scale that is no number makes the head none: any value will do
#if KV_EIGHT == 1
  unsigned bits = __float_as_uint(x);
  unsigned sign = bits >> 24 & 0x80;
  bits &= 0x7fffffff;
  unsigned code = bits < 0x3c800000                                        // 2^-6: smaller ones are multiples of 2^-9
                      ? (unsigned)__float2int_rn(__uint_as_float(bits) * 512)
                      : ((bits + 0x7ffff + (bits >> 20 & 1)) >> 20) - (120 << 3);
  return sign | min(code, 0x7eu);
#else
  return (unsigned)(max(-127, min(127, __float2int_rn(x))) + 128);
#endif
}

__device__ __forceinline__ float widenEight(unsigned code) {
#if KV_EIGHT == 1
  // The bits in place are worth 2^-120 as much; a product of two normals, so exact.
  unsigned magnitude = code & 0x7f;
  float value = magnitude < 8 ? magnitude * 0x1p-9f : __uint_as_float((magnitude << 20) + (120u << 23));
  return code & 0x80 ? -value : value;
#else
  return (float)((int)code - 128);
#endif
}
