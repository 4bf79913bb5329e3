// Writes and copies of keys and values. HEAD_DIM, CHUNK: shape; KV_TYPE: how they are stored (numbers.cuh).
#include "kv_layout.cuh"
#include "numbers.cuh"

typedef Stored<KV_TYPE>::T Kv;

// K and V of each row of qkv to its chunk and slot; row = blockIdx.y. Padding of a head gets zeros. A row
// without a chunk (-1) is not written.
extern "C" __global__ void append(
    Kv* __restrict__ kv,                // this layer's first chunk
    const float* __restrict__ qkv,      // [rows][columns], K and V last
    int columns,
    int kv_heads,
    const int* __restrict__ chunks,     // [rows]
    const int* __restrict__ slots)      // [rows]
{
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
