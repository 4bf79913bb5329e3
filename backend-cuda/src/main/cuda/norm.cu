// Root-mean-square norms: x / sqrt(mean(x^2) + epsilon) * weight.
// PRODUCT_TYPE: what matrix products read (numbers.cuh).
#include "numbers.cuh"
#include "ptx.cuh"

// Values that a thread keeps between its two passes over a row, in fours.
constexpr int KEPT = 4;

// One block a row. narrowed gets the result as products read it, rows of narrow_stride values. Either of
// out and narrowed may be null: not wanted.
extern "C" __global__ void rms_norm(
    const float* in,                    // [rows][columns]
    const float* __restrict__ weight,   // [columns]
    float epsilon,
    int columns,
    float* out,                         // [rows][columns]
    Stored<PRODUCT_TYPE>::T* narrowed,
    int narrow_stride) {
  const float* x = in + (long)blockIdx.x * columns;
  float* y = out == nullptr ? nullptr : out + (long)blockIdx.x * columns;
  Stored<PRODUCT_TYPE>::T* z =
      narrowed == nullptr ? nullptr : narrowed + (long)blockIdx.x * narrow_stride;
  float squares = 0;
  if (columns % 4 == 0 && columns <= 4 * KEPT * blockDim.x) {
    float4 w[KEPT], kept[KEPT];
#pragma unroll
    for (int k = 0; k < KEPT; k++) {  // weights are there, whatever the kernel before does
      int i = 4 * (k * blockDim.x + threadIdx.x);
      if (i < columns) {
        w[k] = *reinterpret_cast<const float4*>(weight + i);
      }
    }
    afterPredecessor();
#pragma unroll
    for (int k = 0; k < KEPT; k++) {
      int i = 4 * (k * blockDim.x + threadIdx.x);
      if (i < columns) {
        kept[k] = *reinterpret_cast<const float4*>(x + i);
        squares += kept[k].x * kept[k].x + kept[k].y * kept[k].y + kept[k].z * kept[k].z + kept[k].w * kept[k].w;
      }
    }
    float factor = 1.0f / sqrtf(block_sum(squares) / columns + epsilon);
#pragma unroll
    for (int k = 0; k < KEPT; k++) {
      int i = 4 * (k * blockDim.x + threadIdx.x);
      if (i < columns) {
        float4 v = make_float4(
            kept[k].x * factor * w[k].x, kept[k].y * factor * w[k].y, kept[k].z * factor * w[k].z, kept[k].w * factor * w[k].w);
        if (y != nullptr) {
          *reinterpret_cast<float4*>(y + i) = v;
        }
        if (z != nullptr) {
          narrow4<PRODUCT_TYPE>(v, z + i);
        }
      }
    }
    return;
  }
  afterPredecessor();
  for (int i = threadIdx.x; i < columns; i += blockDim.x) {
    squares += x[i] * x[i];
  }
  float factor = 1.0f / sqrtf(block_sum(squares) / columns + epsilon);
  for (int i = threadIdx.x; i < columns; i += blockDim.x) {
    float value = x[i] * factor * weight[i];
    if (y != nullptr) {
      y[i] = value;
    }
    if (z != nullptr) {
      z[i] = narrow<PRODUCT_TYPE>(value);
    }
  }
}

// In place; one warp a head of a row.
extern "C" __global__ void head_norm(
    float* x,                           // [rows][columns]
    int rows,
    int columns,
    int first_column,
    int heads,
    int head_dim,
    const float* __restrict__ weight,   // [head_dim]
    float epsilon) {
  afterPredecessor();
  int index = (blockIdx.x * blockDim.x + threadIdx.x) / WARP;
  int lane = threadIdx.x % WARP;
  if (index >= rows * heads) {
    return;
  }
  float* head = x + (long)(index / heads) * columns + first_column + (index % heads) * head_dim;
  float squares = 0;
  for (int i = lane; i < head_dim; i += WARP) {
    squares += head[i] * head[i];
  }
  float factor = 1.0f / sqrtf(warp_sum(squares) / head_dim + epsilon);
  for (int i = lane; i < head_dim; i += WARP) {
    head[i] = head[i] * factor * weight[i];
  }
}
