// 8-bit K and V as 16-bit operands, widened in registers, and their scales: those of K are folded into scores, those of V into weights.
#pragma once
#include "shape.cuh"

__device__ __forceinline__ u32 permute(u32 x, u32 y, u32 selector) {
  u32 r;
  asm("prmt.b32 %0, %1, %2, %3;" : "=r"(r) : "r"(x), "r"(y), "r"(selector));
  return r;
}

// Four values to two pairs: (0, 1) and (2, 3), or CROSSED (0, 2) and (1, 3).
template <bool CROSSED>
__device__ __forceinline__ void widenFour(u32 x, u32& first, u32& second) {
#if KV_EIGHT == 2
  // 1024 + the byte as a half; less 1024 and the 128 that were added.
  constexpr u32 LESS = 0xe480e480;
  first = permute(x, 0x64646464, CROSSED ? 0x4240 : 0x4140);
  second = permute(x, 0x64646464, CROSSED ? 0x4341 : 0x4342);
  asm("add.rn.f16x2 %0, %0, %1;" : "+r"(first) : "r"(LESS));
  asm("add.rn.f16x2 %0, %0, %1;" : "+r"(second) : "r"(LESS));
#elif __CUDA_ARCH__ >= 890
  if (CROSSED) x = permute(x, x, 0x3120);
  asm("{ .reg .b16 a, b; mov.b32 {a, b}, %2; cvt.rn.f16x2.e4m3x2 %0, a; cvt.rn.f16x2.e4m3x2 %1, b; }" : "=r"(first), "=r"(second) : "r"(x));
#else
  // The bits in place are worth 2^-8 as much.
  constexpr u32 FACTOR = 0x5c005c00;
  first = permute(x, 0, CROSSED ? 0x2404 : 0x1404);
  second = permute(x, 0, CROSSED ? 0x3414 : 0x3424);
  first = (first & 0x80008000) | (first >> 1 & 0x3f803f80);
  second = (second & 0x80008000) | (second >> 1 & 0x3f803f80);
  asm("mul.rn.f16x2 %0, %0, %1;" : "+r"(first) : "r"(FACTOR));
  asm("mul.rn.f16x2 %0, %0, %1;" : "+r"(second) : "r"(FACTOR));
#endif
}

__device__ __forceinline__ float2 loadFloats(u32 address) {
  float2 v;
  asm volatile("ld.shared.v2.f32 {%0,%1}, [%2];" : "=f"(v.x), "=f"(v.y) : "r"(address) : "memory");
  return v;
}

// Weights are 16-bit, V's scales are not: both together are kept in units of `unit`, the power of two next below the largest scale
// so far, so that they neither overflow nor vanish. The sum over V is in the same unit.
struct Unit {
  u32 bits;  // of the power of two, as a float; 0 before the first scale

  __device__ __forceinline__ float value() const { return __uint_as_float(bits); }

  __device__ __forceinline__ float inverse() const { return __uint_as_float(0x7f000000 - bits); }

  // Takes in a tile's scales, STRIDE bytes from band to band; returns by what the sum so far must be multiplied.
  template <int STRIDE>
  __device__ __forceinline__ float raise(u32 scales, int count) {
    int token = threadIdx.x % 32 * 2;
    u32 most = bits;
    if (token < count) {
      float2 s = loadFloats(scales + token / 8 * STRIDE + token % 8 * 4);
      most = max(most, __float_as_uint(s.x) & 0x7f800000);
      if (token + 1 < count) most = max(most, __float_as_uint(s.y) & 0x7f800000);
    }
    most = __reduce_max_sync(~0u, most);
    float ratio = value() * __uint_as_float(0x7f000000 - most);
    bits = most;
    return ratio;
  }
};

// Scores of N groups of 8 tokens times their scales; `scales`: of the first group.
template <int STRIDE, int N>
__device__ __forceinline__ void scaleScores(float (&s)[N][4], u32 scales) {
#pragma unroll
  for (int i = 0; i < N; i++) {
    float2 k = loadFloats(scales + i * STRIDE + threadIdx.x % 4 * 8);
    s[i][0] *= k.x;
    s[i][1] *= k.y;
    s[i][2] *= k.x;
    s[i][3] *= k.y;
  }
}

// Weights of N groups times V's scales, in units; of `count` tokens from the first group on, the others become 0.
template <int STRIDE, int N>
__device__ __forceinline__ void scaleWeights(float (&s)[N][4], u32 scales, float inverse, int count) {
#pragma unroll
  for (int i = 0; i < N; i++) {
    int token = 8 * i + threadIdx.x % 4 * 2;
    float2 v = loadFloats(scales + i * STRIDE + threadIdx.x % 4 * 8);
    v.x = token < count ? v.x * inverse : 0;
    v.y = token + 1 < count ? v.y * inverse : 0;
    s[i][0] *= v.x;
    s[i][1] *= v.y;
    s[i][2] *= v.x;
    s[i][3] *= v.y;
  }
}

// s = q . K of N groups of 8 tokens of the stage at address k, from group first on. q holds values 4 t .. 4 t + 3 of each 16 where a
// 16-bit operand has 2 t, 2 t + 1, 2 t + 8, 2 t + 9 (t = lane % 4).
template <int N>
__device__ __forceinline__ void scoreEight(float (&s)[N][4], const u32 (&q)[STEPS][4], u32 k, int first) {
  int lane = threadIdx.x % 32;
#pragma unroll
  for (int i = 0; i < N; i++) {
#pragma unroll
    for (int j = 0; j < 4; j++) s[i][j] = 0;
  }
  u32 b[4], low, high;
  if constexpr (N >= 2) {
    u32 from = k + (first + lane / 16) * KV_BAND_BYTES + lane / 8 % 2 * 128 + lane % 8 * 16;
#pragma unroll
    for (int step = 0; step < STEPS; step += 2) {
#pragma unroll
      for (int i = 0; i < N; i += 2) {
        // With an odd number of steps the last load reaches behind the values: inside the stage, not used.
        loadMatrix4(b, from + i * KV_BAND_BYTES + step * 128);
#pragma unroll
        for (int j = 0; j < 2; j++) {
          if (step + j >= STEPS) break;
          widenFour<false>(b[j], low, high);
          multiply(s[i], q[step + j], low, high);
          widenFour<false>(b[j + 2], low, high);
          multiply(s[i + 1], q[step + j], low, high);
        }
      }
    }
  } else {
    float odd[4] = {0, 0, 0, 0};
    u32 from = k + first * KV_BAND_BYTES + lane * 16;
#pragma unroll
    for (int step = 0; step < STEPS; step += 4) {
      loadMatrix4(b, from + step * 128);
#pragma unroll
      for (int j = 0; j < 4; j++) {
        if (step + j >= STEPS) break;
        widenFour<false>(b[j], low, high);
        multiply(j % 2 == 0 ? s[0] : odd, q[step + j], low, high);
      }
    }
#pragma unroll
    for (int j = 0; j < 4; j++) s[0][j] += odd[j];
  }
}

__device__ __forceinline__ void loadMatrix2Transposed(u32 (&r)[2], u32 address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];" : "=r"(r[0]), "=r"(r[1]) : "r"(address) : "memory");
}

// o += p . V for 16 tokens of the stage's V at address v, 16 columns at a time from column 16 * first on. o[2 c] gets the even and
// o[2 c + 1] the odd ones of 16 columns. `count`: tokens of the 16 that exist. UNEVEN: some columns may not exist.
template <int N, bool UNEVEN>
__device__ __forceinline__ void weighEight(float (&o)[2 * N][4], const u32 (&p)[4], u32 v, int step, int first, int count) {
  int lane = threadIdx.x % 32;
  u32 from = v + (2 * step + lane / 8 % 2) * KV_BAND_BYTES + first * 128 + lane % 8 * 16;
#if KV_EIGHT == 1
  // Slots that nobody wrote may hold NaN (int8 has none): 0 times NaN must not get into a sum.
  int token = lane % 4 * 2;
  u32 low = (token < count ? 0xffffu : 0) | (token + 1 < count ? 0xffff0000u : 0);
  u32 high = (token + 8 < count ? 0xffffu : 0) | (token + 9 < count ? 0xffff0000u : 0);
#endif
#pragma unroll
  for (int c = 0; c < N; c++) {
    if (UNEVEN && first + c >= STEPS) break;
    u32 b[2], even[2], odd[2];
    loadMatrix2Transposed(b, from + c * 128);
#if KV_EIGHT == 1
    if (count < 16) {
      b[0] &= low;
      b[1] &= high;
    }
#endif
    widenFour<true>(b[0], even[0], odd[0]);
    widenFour<true>(b[1], even[1], odd[1]);
    multiply(o[2 * c], p, even[0], even[1]);
    multiply(o[2 * c + 1], p, odd[0], odd[1]);
  }
}
