// Whole rows: embedding, gather, bias, conversion. Row i of a launch is blockIdx.y.
// PRODUCT_TYPE: how weights are stored and what products read (numbers.cuh).
#include "columns.cuh"
#include "numbers.cuh"
#include "ptx.cuh"

typedef Stored<PRODUCT_TYPE>::T Narrow;

// out[i] = table[tokens[i]]
extern "C" __global__ void embed(
    const Narrow* __restrict__ table,  // rows of stride values
    int stride,
    const int* __restrict__ tokens,
    int columns,
    float* out) {
  afterPredecessor();
  const Narrow* row = table + (long)tokens[blockIdx.y] * stride;
  float* y = out + (long)blockIdx.y * columns;
  eachColumn(
      columns, [&](int j) { *reinterpret_cast<float4*>(y + j) = widen4<PRODUCT_TYPE>(row + j); },
      [&](int j) { y[j] = widen<PRODUCT_TYPE>(row[j]); });
}

// out[i] = in[rows[i]]
extern "C" __global__ void gather(
    const float* in, const int* __restrict__ rows, int columns, float* out) {
  afterPredecessor();
  const float* row = in + (long)rows[blockIdx.y] * columns;
  float* y = out + (long)blockIdx.y * columns;
  eachColumn(
      columns, [&](int j) { *reinterpret_cast<float4*>(y + j) = *reinterpret_cast<const float4*>(row + j); },
      [&](int j) { y[j] = row[j]; });
}

// out[i] = bias, or out[i] += bias: the product is then added to it.
extern "C" __global__ void set_bias(
    const float* __restrict__ bias, int columns, int add, float* out) {
  afterPredecessor();
  float* y = out + (long)blockIdx.y * columns;
  eachColumn(
      columns,
      [&](int j) {
        float4 value = *reinterpret_cast<const float4*>(bias + j);
        float4* to = reinterpret_cast<float4*>(y + j);
        if (add) {
          float4 old = *to;
          value = make_float4(old.x + value.x, old.y + value.y, old.z + value.z, old.w + value.w);
        }
        *to = value;
      },
      [&](int j) { y[j] = add ? y[j] + bias[j] : bias[j]; });
}

// Rows of fp32 as products read them, stride values apart.
extern "C" __global__ void convert(
    const float* in, int columns, Narrow* out, int stride) {
  afterPredecessor();
  const float* x = in + (long)blockIdx.y * columns;
  Narrow* y = out + (long)blockIdx.y * stride;
  eachColumn(
      columns, [&](int j) { narrow4<PRODUCT_TYPE>(*reinterpret_cast<const float4*>(x + j), y + j); },
      [&](int j) { y[j] = narrow<PRODUCT_TYPE>(x[j]); });
}

// The way back.
extern "C" __global__ void restore(
    const Narrow* in, int stride, int columns, float* out) {
  afterPredecessor();
  const Narrow* x = in + (long)blockIdx.y * stride;
  float* y = out + (long)blockIdx.y * columns;
  eachColumn(
      columns, [&](int j) { *reinterpret_cast<float4*>(y + j) = widen4<PRODUCT_TYPE>(x + j); },
      [&](int j) { y[j] = widen<PRODUCT_TYPE>(x[j]); });
}
