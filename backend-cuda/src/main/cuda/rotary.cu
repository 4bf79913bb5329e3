// Rotary embedding, in place, and queries as attention reads them.
#include "numbers.cuh"
#include "ptx.cuh"

__device__ __forceinline__ unsigned short narrowed(float value, int type) {
  return type == F16 ? narrow<F16>(value) : narrow<BF16>(value);
}

// One thread a pair of values of one head. interleaved: pairs (0, 1), (2, 3), ...; otherwise
// (0, half), (1, half + 1), ... The first query_columns columns go, rotated, to queries too (null: not wanted).
extern "C" __global__ void rotary(
    float* x,                           // [rows][columns]
    int rows,
    int columns,
    int first_column,
    int heads,
    int head_dim,
    const float* __restrict__ cosines,  // [positions][half]
    const float* __restrict__ sines,    // [positions][half]
    int half,
    int interleaved,
    const int* __restrict__ positions,  // [rows]
    unsigned short* queries,  // rows of query_stride values
    int query_columns,
    int query_stride,
    int query_type)                     // F16 or BF16
{
  afterPredecessor();
  int row = blockIdx.y;
  int index = blockIdx.x * blockDim.x + threadIdx.x;
  if (index >= heads * half) {
    return;
  }
  int pair = index % half;
  int column = first_column + (index / half) * head_dim;
  float* head = x + (long)row * columns + column;
  int first = interleaved ? 2 * pair : pair;
  int second = first + (interleaved ? 1 : half);
  long at = (long)positions[row] * half + pair;
  float cosine = cosines[at];
  float sine = sines[at];
  float a = head[first];
  float b = head[second];
  float rotated = a * cosine - b * sine;
  float other = b * cosine + a * sine;
  head[first] = rotated;
  head[second] = other;
  if (queries != nullptr && column < query_columns) {
    unsigned short* to = queries + (long)row * query_stride + column;
    to[first] = narrowed(rotated, query_type);
    to[second] = narrowed(other, query_type);
    for (int i = 2 * half + pair; i < head_dim; i += half) {  // what is not rotated
      to[i] = narrowed(head[i], query_type);
    }
  }
}

// The first query_columns columns of each row to queries.
extern "C" __global__ void narrow_queries(
    const float* x, int columns, unsigned short* queries, int query_columns, int query_stride, int query_type) {
  afterPredecessor();
  const float* row = x + (long)blockIdx.y * columns;
  for (int j = blockIdx.x * blockDim.x + threadIdx.x; j < query_columns; j += gridDim.x * blockDim.x) {
    queries[(long)blockIdx.y * query_stride + j] = narrowed(row[j], query_type);
  }
}
