// Whole rows: embedding, gather, bias, conversion, argmax.
// PRODUCT_TYPE: how weights are stored and what products read (numbers.cuh).
#include "numbers.cuh"

// out[i] = table[tokens[i]], i = blockIdx.y
extern "C" __global__ void embed(
    const Stored<PRODUCT_TYPE>::T* __restrict__ table,  // rows of stride values
    int stride,
    const int* __restrict__ tokens,
    int columns,
    float* __restrict__ out) {
  const Stored<PRODUCT_TYPE>::T* row = table + (long)tokens[blockIdx.y] * stride;
  for (int j = blockIdx.x * blockDim.x + threadIdx.x; j < columns; j += gridDim.x * blockDim.x) {
    out[(long)blockIdx.y * columns + j] = widen<PRODUCT_TYPE>(row[j]);
  }
}

// out[i] = in[rows[i]], i = blockIdx.y
extern "C" __global__ void gather(
    const float* __restrict__ in, const int* __restrict__ rows, int columns, float* __restrict__ out) {
  const float* row = in + (long)rows[blockIdx.y] * columns;
  for (int j = blockIdx.x * blockDim.x + threadIdx.x; j < columns; j += gridDim.x * blockDim.x) {
    out[(long)blockIdx.y * columns + j] = row[j];
  }
}

// out[r] = bias, or out[r] += bias: the product is then added to it.
extern "C" __global__ void set_bias(
    const float* __restrict__ bias, int columns, int add, float* __restrict__ out) {
  float* row = out + (long)blockIdx.y * columns;
  for (int j = blockIdx.x * blockDim.x + threadIdx.x; j < columns; j += gridDim.x * blockDim.x) {
    row[j] = add ? row[j] + bias[j] : bias[j];
  }
}

// Rows of fp32 as products read them; four columns a thread where they are aligned.
extern "C" __global__ void convert(
    const float* __restrict__ in, int columns, Stored<PRODUCT_TYPE>::T* __restrict__ out, int stride) {
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
  const Stored<PRODUCT_TYPE>::T* x = in + (long)blockIdx.y * stride;
  float* y = out + (long)blockIdx.y * columns;
  for (int j = blockIdx.x * blockDim.x + threadIdx.x; j < columns; j += gridDim.x * blockDim.x) {
    y[j] = widen<PRODUCT_TYPE>(x[j]);
  }
}

// Index of the largest value of each row, the lowest among equals; -1 if a value is NaN.
extern "C" __global__ void argmax(
    const float* __restrict__ in, int columns, int* __restrict__ indices) {
  __shared__ float values[WARP];
  __shared__ int places[WARP];
  const float* row = in + (long)blockIdx.x * columns;
  float best = -INFINITE;
  int place = 0x7fffffff;
  bool broken = false;
  for (int j = threadIdx.x; j < columns; j += blockDim.x) {
    float value = row[j];
    broken |= value != value;
    if (value > best || place == 0x7fffffff) {
      best = value;
      place = j;
    }
  }
  broken = __syncthreads_or(broken);
  for (int round = 0; round < 2; round++) {  // over the warp, then over the warps
    for (int step = WARP / 2; step > 0; step /= 2) {
      float value = __shfl_xor_sync(ALL_LANES, best, step);
      int other = __shfl_xor_sync(ALL_LANES, place, step);
      if (value > best || (value == best && other < place)) {
        best = value;
        place = other;
      }
    }
    if (round == 0) {
      if (threadIdx.x % WARP == 0) {
        values[threadIdx.x / WARP] = best;
        places[threadIdx.x / WARP] = place;
      }
      __syncthreads();
      bool present = threadIdx.x % WARP < blockDim.x / WARP;
      best = present ? values[threadIdx.x % WARP] : -INFINITE;
      place = present ? places[threadIdx.x % WARP] : 0x7fffffff;
    }
  }
  if (threadIdx.x == 0) {
    indices[blockIdx.x] = broken ? -1 : place;
  }
}
