// Writes and copies of keys and values. HEAD_DIM, CHUNK: shape; KV_TYPE: how they are stored (numbers.cuh).
#include "kv_layout.cuh"
#include "numbers.cuh"
#include "ptx.cuh"
#include "rotate.cuh"

typedef Stored<KV_TYPE>::T Kv;

// K and V of each row of qkv to its chunk and slot; row = blockIdx.y. Padding of a head gets zeros. A row
// without a chunk (-1) is not written.
extern "C" __global__ void append(
    Kv* kv,                             // this layer's first chunk
    const float* qkv,                   // [rows][columns], K and V last
    int columns,
    int kv_heads,
    const int* __restrict__ chunks,     // [rows]
    const int* __restrict__ slots)      // [rows]
{
  afterPredecessor();
  int row = blockIdx.y;
  int chunk = chunks[row];
  int index = blockIdx.x * blockDim.x + threadIdx.x;
  if (chunk < 0 || index >= 2 * kv_heads * PAD_DIM) {
    return;
  }
  int x = index % PAD_DIM;
  int head = index / PAD_DIM % kv_heads;
  int which = index / PAD_DIM / kv_heads;
  const float* from = qkv + (long)row * columns + columns - 2 * kv_heads * HEAD_DIM;
  float value = x < HEAD_DIM ? from[(which * kv_heads + head) * HEAD_DIM + x] : 0.0f;
  kv[kvTile(chunk, kv_heads, head, which) + kvOffset(slots[row], x)] = narrow<KV_TYPE>(value);
}

#if HEAD_DIM % 16 == 0 && KV_TYPE != 0
// Rotates the queries and keys of each row: queries go, in the type of KV, to where attention reads them, keys and values to the
// row's chunk and slot. qkv stays as it is. row = blockIdx.y; a thread for sixteen values.
extern "C" __global__ void rotary_append(
    Kv* kv,                             // this layer's first chunk
    const float* qkv,                   // [rows][columns]
    int columns,                        // (query_heads + 2 * kv_heads) * HEAD_DIM
    int query_heads,
    int kv_heads,
    const float* __restrict__ cosines,  // [positions][HEAD_DIM / 2]
    const float* __restrict__ sines,    // [positions][HEAD_DIM / 2]
    int interleaved,
    const int* __restrict__ positions,  // [rows]
    const int* __restrict__ chunks,     // [rows]
    const int* __restrict__ slots,      // [rows]
    Kv* queries,                        // rows of query_stride values
    int query_stride)                   // a multiple of 8
{
  constexpr int PARTS = powerOfTwo(HEAD_DIM / 16);
  int row = blockIdx.y;
  Place<HEAD_DIM, PARTS> place(blockIdx.x * blockDim.x + threadIdx.x, query_heads, kv_heads, interleaved);
  // What the host has sent is there since the kernel before began.
  int chunk = chunks[row], slot = slots[row];
  float cosine[8], sine[8];
  readAngles(place, cosines, sines, positions + row, cosine, sine);
  afterPredecessor();
  if (!place.inside) {
    return;
  }
  Runs x;
  readRotated(place, qkv + (long)row * columns, cosine, sine, interleaved, x);
  if (place.head < query_heads) {
    Kv* to = queries + (long)row * query_stride + place.head * HEAD_DIM;
    narrow8<KV_TYPE>(x.first, to + place.first);
    narrow8<KV_TYPE>(x.second, to + place.second);
  } else if (chunk >= 0) {
    int head = place.head - query_heads;
    Kv* to = kv + (place.rotates ? kvTile(chunk, kv_heads, head, 0) : kvTile(chunk, kv_heads, head - kv_heads, 1));
    narrow8<KV_TYPE>(x.first, to + kvOffset(slot, place.first));
    narrow8<KV_TYPE>(x.second, to + kvOffset(slot, place.second));
  }
}
#endif

// The first slots of a chunk to another, all layers; layer = blockIdx.y.
extern "C" __global__ void copy_slots(
    Kv* __restrict__ kv, long layer_values, int kv_heads, int from, int to, int slots) {
  int count = 2 * kv_heads * slots * PAD_DIM;
  kv += blockIdx.y * layer_values;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x) {
    int x = i % PAD_DIM;
    int slot = i / PAD_DIM % slots;
    int tile = i / PAD_DIM / slots;
    int offset = kvOffset(slot, x);
    kv[kvTile(to, kv_heads, tile / 2, tile % 2) + offset] =
        kv[kvTile(from, kv_heads, tile / 2, tile % 2) + offset];
  }
}
