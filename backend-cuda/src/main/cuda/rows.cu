// Whole rows: embedding, gather, bias, conversion.
// PRODUCT_TYPE: how weights are stored and what products read (numbers.cuh).
#include "numbers.cuh"
#include "ptx.cuh"

// out[i] = table[tokens[i]], i = blockIdx.y
extern "C" __global__ void embed(
    const Stored<PRODUCT_TYPE>::T* __restrict__ table,  // rows of stride values
    int stride,
    const int* __restrict__ tokens,
    int columns,
    float* __restrict__ out) {
  afterPredecessor();
  const Stored<PRODUCT_TYPE>::T* row = table + (long)tokens[blockIdx.y] * stride;
  for (int j = blockIdx.x * blockDim.x + threadIdx.x; j < columns; j += gridDim.x * blockDim.x) {
    out[(long)blockIdx.y * columns + j] = widen<PRODUCT_TYPE>(row[j]);
  }
}

// out[i] = in[rows[i]], i = blockIdx.y
extern "C" __global__ void gather(
    const float* __restrict__ in, const int* __restrict__ rows, int columns, float* __restrict__ out) {
  afterPredecessor();
  const float* row = in + (long)rows[blockIdx.y] * columns;
  for (int j = blockIdx.x * blockDim.x + threadIdx.x; j < columns; j += gridDim.x * blockDim.x) {
    out[(long)blockIdx.y * columns + j] = row[j];
  }
}

// out[r] = bias, or out[r] += bias: the product is then added to it.
extern "C" __global__ void set_bias(
    const float* __restrict__ bias, int columns, int add, float* __restrict__ out) {
  afterPredecessor();
  float* row = out + (long)blockIdx.y * columns;
  for (int j = blockIdx.x * blockDim.x + threadIdx.x; j < columns; j += gridDim.x * blockDim.x) {
    row[j] = add ? row[j] + bias[j] : bias[j];
  }
}

// Rows of fp32 as products read them; four columns a thread where they are aligned.
extern "C" __global__ void convert(
    const float* __restrict__ in, int columns, Stored<PRODUCT_TYPE>::T* __restrict__ out, int stride) {
  afterPredecessor();
  const float* x = in + (long)blockIdx.y * columns;
  Stored<PRODUCT_TYPE>::T* y = out + (long)blockIdx.y * stride;
  int index = blockIdx.x * blockDim.x + threadIdx.x;
  if (columns % 4 == 0) {
    if (4 * index < columns) {
      narrow4<PRODUCT_TYPE>(*reinterpret_cast<const float4*>(x + 4 * index), y + 4 * index);
    }
    return;
  }
  for (int j = index; j < columns; j += gridDim.x * blockDim.x) {
    y[j] = narrow<PRODUCT_TYPE>(x[j]);
  }
}

// The way back.
extern "C" __global__ void restore(
    const Stored<PRODUCT_TYPE>::T* __restrict__ in, int stride, int columns, float* __restrict__ out) {
  afterPredecessor();
  const Stored<PRODUCT_TYPE>::T* x = in + (long)blockIdx.y * stride;
  float* y = out + (long)blockIdx.y * columns;
  for (int j = blockIdx.x * blockDim.x + threadIdx.x; j < columns; j += gridDim.x * blockDim.x) {
    y[j] = widen<PRODUCT_TYPE>(x[j]);
  }
}
