// The gated activation of the MLP.
// PRODUCT_TYPE: what matrix products read (numbers.cuh).
#include "numbers.cuh"
#include "ptx.cuh"

// Four columns a thread where they are aligned.
// out[r][j] = silu(in[r][j]) * in[r][columns + j]; out and narrowed as in norm.cu.
__device__ __forceinline__ float gated(float x, float up) { return x / (1.0f + expf(-x)) * up; }

extern "C" __global__ void silu_gate(
    const float* __restrict__ in,       // [rows][2 * columns]
    int rows,
    int columns,
    float* __restrict__ out,            // [rows][columns]
    Stored<PRODUCT_TYPE>::T* __restrict__ narrowed,
    int narrow_stride) {
  afterPredecessor();
  int row = blockIdx.y;
  const float* gate = in + (long)row * 2 * columns;
  const float* up = gate + columns;
  float* y = out == nullptr ? nullptr : out + (long)row * columns;
  Stored<PRODUCT_TYPE>::T* z = narrowed == nullptr ? nullptr : narrowed + (long)row * narrow_stride;
  int index = blockIdx.x * blockDim.x + threadIdx.x;
  if (columns % 4 == 0) {
    int j = 4 * index;
    if (j < columns) {
      float4 g = *reinterpret_cast<const float4*>(gate + j);
      float4 u = *reinterpret_cast<const float4*>(up + j);
      float4 v = make_float4(gated(g.x, u.x), gated(g.y, u.y), gated(g.z, u.z), gated(g.w, u.w));
      if (y != nullptr) {
        *reinterpret_cast<float4*>(y + j) = v;
      }
      if (z != nullptr) {
        narrow4<PRODUCT_TYPE>(v, z + j);
      }
    }
    return;
  }
  for (int j = index; j < columns; j += gridDim.x * blockDim.x) {
    float value = gated(gate[j], up[j]);
    if (y != nullptr) {
      y[j] = value;
    }
    if (z != nullptr) {
      z[j] = narrow<PRODUCT_TYPE>(value);
    }
  }
}
