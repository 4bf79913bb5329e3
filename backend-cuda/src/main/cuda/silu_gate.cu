// The gated activation of the MLP.
// PRODUCT_TYPE: what matrix products read (numbers.cuh).
#include "columns.cuh"
#include "numbers.cuh"
#include "ptx.cuh"

__device__ __forceinline__ float gated(float x, float up) { return x / (1.0f + expf(-x)) * up; }

// out[r][j] = silu(in[r][j]) * in[r][columns + j], r = blockIdx.y; out and narrowed as in norm.cu.
extern "C" __global__ void silu_gate(
    const float* in,                    // [rows][2 * columns]
    int columns,
    float* out,                         // [rows][columns]
    Stored<PRODUCT_TYPE>::T* narrowed,
    int narrow_stride) {
  afterPredecessor();
  const float* gate = in + (long)blockIdx.y * 2 * columns;
  const float* up = gate + columns;
  float* y = out == nullptr ? nullptr : out + (long)blockIdx.y * columns;
  Stored<PRODUCT_TYPE>::T* z = narrowed == nullptr ? nullptr : narrowed + (long)blockIdx.y * narrow_stride;
  eachColumn(
      columns,
      [&](int j) {
        float4 g = *reinterpret_cast<const float4*>(gate + j);
        float4 u = *reinterpret_cast<const float4*>(up + j);
        float4 v = make_float4(gated(g.x, u.x), gated(g.y, u.y), gated(g.z, u.z), gated(g.w, u.w));
        if (y != nullptr) {
          *reinterpret_cast<float4*>(y + j) = v;
        }
        if (z != nullptr) {
          narrow4<PRODUCT_TYPE>(v, z + j);
        }
      },
      [&](int j) {
        float value = gated(gate[j], up[j]);
        if (y != nullptr) {
          y[j] = value;
        }
        if (z != nullptr) {
          z[j] = narrow<PRODUCT_TYPE>(value);
        }
      });
}
