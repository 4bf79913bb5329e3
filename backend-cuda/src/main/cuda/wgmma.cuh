// Hopper's warpgroup matrix products: 64 rows of a in registers, b in shared memory. Only for sm_90a.
#pragma once
#include "ptx.cuh"

#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define WGMMA 1

// Operand without swizzle: pieces of 8 x 8 values (128 bytes), the next piece `lead` or `stride` bytes on. Moved by
// a multiple of 16 bytes without carries: one addition.
struct Matrix {
  u32 low, high;
  __device__ __forceinline__ Matrix(u32 address, u32 lead, u32 stride) : low((address & 0x3ffff) >> 4 | lead >> 4 << 16), high(stride >> 4) {}
  __device__ __forceinline__ u32 at(u32 bytes) const { return low + bytes / 16; }
};

__device__ __forceinline__ void wgmmaBegin() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }

__device__ __forceinline__ void wgmmaCommit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }

// Until all but the last PENDING groups are done.
template <int PENDING>
__device__ __forceinline__ void wgmmaWait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(PENDING) : "memory");
}

// Keeps ordinary uses of the registers on their side of the fence or wait beside it.
template <int N>
__device__ __forceinline__ void settle(float (&c)[N][4]) {
#pragma unroll
  for (int i = 0; i < N; i++) asm volatile("" : "+f"(c[i][0]), "+f"(c[i][1]), "+f"(c[i][2]), "+f"(c[i][3])::"memory");
}

template <int N>
__device__ __forceinline__ void settle(u32 (&a)[N][4]) {
#pragma unroll
  for (int i = 0; i < N; i++) asm volatile("" : "+r"(a[i][0]), "+r"(a[i][1]), "+r"(a[i][2]), "+r"(a[i][3])::"memory");
}

#if KV_BF16
#define WGMMA_TYPES "f32.bf16.bf16"
#else
#define WGMMA_TYPES "f32.f16.f16"
#endif
#define ACC(i) "+f"(c[i][0]), "+f"(c[i][1]), "+f"(c[i][2]), "+f"(c[i][3])

// c[64][64] = a[64][16] . b[16][64] (+ c if add). TRANSPOSED: b's columns lie together. low, high: of b's Matrix.
template <int TRANSPOSED>
__device__ __forceinline__ void wgmma64(float (*c)[4], const u32 (&a)[4], u32 low, u32 high, int add) {
  asm volatile(
      "{ .reg .pred p; .reg .b64 d; setp.ne.b32 p, %38, 0; mov.b64 d, {%36, %37};\n"
      "wgmma.mma_async.sync.aligned.m64n64k16." WGMMA_TYPES
      " {%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31},"
      " {%32,%33,%34,%35}, d, p, 1, 1, %39; }"
      : ACC(0), ACC(1), ACC(2), ACC(3), ACC(4), ACC(5), ACC(6), ACC(7)
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(low), "r"(high), "r"(add), "n"(TRANSPOSED));
}

// c[64][128] += a[64][16] . b[16][128], b's columns lie together.
__device__ __forceinline__ void wgmma128(float (*c)[4], const u32 (&a)[4], u32 low, u32 high) {
  asm volatile(
      "{ .reg .b64 d; mov.b64 d, {%68, %69};\n"
      "wgmma.mma_async.sync.aligned.m64n128k16." WGMMA_TYPES
      " {%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31,"
      "%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63},"
      " {%64,%65,%66,%67}, d, 1, 1, 1, 1; }"
      : ACC(0), ACC(1), ACC(2), ACC(3), ACC(4), ACC(5), ACC(6), ACC(7), ACC(8), ACC(9), ACC(10), ACC(11), ACC(12), ACC(13), ACC(14), ACC(15)
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(low), "r"(high));
}

// c[64][16] += a[64][16] . b[16][16], b's columns lie together.
__device__ __forceinline__ void wgmma16(float (*c)[4], const u32 (&a)[4], u32 low, u32 high) {
  asm volatile(
      "{ .reg .b64 d; mov.b64 d, {%12, %13};\n"
      "wgmma.mma_async.sync.aligned.m64n16k16." WGMMA_TYPES " {%0,%1,%2,%3,%4,%5,%6,%7}, {%8,%9,%10,%11}, d, 1, 1, 1, 1; }"
      : ACC(0), ACC(1)
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(low), "r"(high));
}
#undef ACC
#else
#define WGMMA 0
#endif
