// Numbers as they are stored, reductions over a warp. Needs no header of the toolkit.
#pragma once

enum Type { F32 = 0, F16 = 1, BF16 = 2 };

template <int TYPE>
struct Stored {  // 16-bit types
  typedef unsigned short T;
};

template <>
struct Stored<F32> {
  typedef float T;
};

template <int TYPE>
__device__ __forceinline__ float widen(typename Stored<TYPE>::T bits) {
  if constexpr (TYPE == F32) {
    return bits;
  } else if constexpr (TYPE == F16) {
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
    return value;
  } else {
    return __int_as_float((unsigned)bits << 16);
  }
}

// To nearest, ties to even.
template <int TYPE>
__device__ __forceinline__ typename Stored<TYPE>::T narrow(float value) {
  if constexpr (TYPE == F32) {
    return value;
  } else if constexpr (TYPE == F16) {
    unsigned short bits;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
    return bits;
  } else {
    unsigned short bits;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(value));
    return bits;
  }
}

// Four neighbours at once; to is aligned to four values.
template <int TYPE>
__device__ __forceinline__ void narrow4(float4 v, typename Stored<TYPE>::T* to) {
  if constexpr (TYPE == F32) {
    *reinterpret_cast<float4*>(to) = v;
  } else {
    ushort4 bits;
    bits.x = narrow<TYPE>(v.x);
    bits.y = narrow<TYPE>(v.y);
    bits.z = narrow<TYPE>(v.z);
    bits.w = narrow<TYPE>(v.w);
    *reinterpret_cast<ushort4*>(to) = bits;
  }
}

// Eight in 16 bits, to on 16 bytes of global memory. One store: the compiler makes four of an assignment at times.
template <int TYPE>
__device__ __forceinline__ void narrow8(const float (&v)[8], unsigned short* to) {
  unsigned words[4];
#pragma unroll
  for (int i = 0; i < 4; i++) {
    words[i] = narrow<TYPE>(v[2 * i]) | (unsigned)narrow<TYPE>(v[2 * i + 1]) << 16;
  }
  asm volatile("st.global.v4.u32 [%0], {%1, %2, %3, %4};" ::"l"(to), "r"(words[0]), "r"(words[1]), "r"(words[2]), "r"(words[3]) : "memory");
}

// The way back of four; from is aligned to four values.
template <int TYPE>
__device__ __forceinline__ float4 widen4(const typename Stored<TYPE>::T* from) {
  if constexpr (TYPE == F32) {
    return *reinterpret_cast<const float4*>(from);
  } else {
    ushort4 bits = *reinterpret_cast<const ushort4*>(from);
    return make_float4(widen<TYPE>(bits.x), widen<TYPE>(bits.y), widen<TYPE>(bits.z), widen<TYPE>(bits.w));
  }
}

#define WARP 32
#define ALL_LANES 0xffffffffu
#define INFINITE __int_as_float(0x7f800000)

__device__ __forceinline__ float warp_sum(float value) {
  for (int step = WARP / 2; step > 0; step /= 2) {
    value += __shfl_xor_sync(ALL_LANES, value, step);
  }
  return value;
}

__device__ __forceinline__ float warp_max(float value) {
  for (int step = WARP / 2; step > 0; step /= 2) {
    value = fmaxf(value, __shfl_xor_sync(ALL_LANES, value, step));
  }
  return value;
}

// Sum over a block of up to 1024 threads, a multiple of 32; every thread gets it.
__device__ __forceinline__ float block_sum(float value) {
  __shared__ float partial[WARP];
  int lane = threadIdx.x % WARP;
  int warp = threadIdx.x / WARP;
  value = warp_sum(value);
  if (lane == 0) {
    partial[warp] = value;
  }
  __syncthreads();
  value = lane < blockDim.x / WARP ? partial[lane] : 0.0f;
  value = warp_sum(value);
  __syncthreads();  // partial may be used again
  return value;
}
