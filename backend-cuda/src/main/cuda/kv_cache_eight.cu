// Writes and copies of 8-bit keys and values. HEAD_DIM, CHUNK: shape; KV_EIGHT: their type (kv_layout.cuh).
#include "eight.cuh"
#include "numbers.cuh"
#include "ptx.cuh"
#include "rotate.cuh"

constexpr int PAIRS = (PAD_DIM + 63) / 64;  // pairs of values of each lane

// K and V of each row of qkv to its chunk and slot; row = blockIdx.y, a warp for each head of K and of V.
// Padding of a head gets zeros. A row without a chunk (-1) is not written.
extern "C" __global__ void append(
    unsigned char* kv,                  // this layer's first chunk
    const float* qkv,                   // [rows][columns], K and V last
    int columns,
    int kv_heads,
    const int* __restrict__ chunks,     // [rows]
    const int* __restrict__ slots)      // [rows]
{
  afterPredecessor();
  int row = blockIdx.y;
  int chunk = chunks[row];
  int vector = (blockIdx.x * blockDim.x + threadIdx.x) / WARP;
  int lane = threadIdx.x % WARP;
  if (chunk < 0 || vector >= 2 * kv_heads) {
    return;
  }
  const float* from = qkv + (long)row * columns + columns - 2 * kv_heads * HEAD_DIM + vector * HEAD_DIM;
  float values[PAIRS][2];
  float largest = 0;
  bool finite = true;
  for (int i = 0; i < PAIRS; i++) {
    for (int j = 0; j < 2; j++) {
      int x = 64 * i + 2 * lane + j;
      values[i][j] = x < HEAD_DIM ? from[x] : 0.0f;
      float magnitude = fabsf(values[i][j]);
      largest = fmaxf(largest, magnitude);
      finite = finite && magnitude < INFINITE;
    }
  }
  float scale = eightScaleOf(warp_max(largest), __all_sync(ALL_LANES, finite));
  int slot = slots[row];
  unsigned char* to = kv + eightTile(chunk, kv_heads, vector % kv_heads, vector / kv_heads);
  for (int i = 0; i < PAIRS; i++) {
    int x = 64 * i + 2 * lane;
    if (x < PAD_DIM) {
      unsigned pair = narrowEight(values[i][0], scale) | narrowEight(values[i][1], scale) << 8;
      *reinterpret_cast<unsigned short*>(to + eightValue(slot, x)) = (unsigned short)pair;
    }
  }
  if (lane == 0) {
    *reinterpret_cast<float*>(to + eightScale(slot)) = scale;
  }
}

#if HEAD_DIM % 16 == 0
__device__ __forceinline__ void narrowEight8(const float (&x)[8], float scale, unsigned char* to) {
  unsigned words[2] = {};
#pragma unroll
  for (int i = 0; i < 8; i++) {
    words[i / 4] |= narrowEight(x[i], scale) << i % 4 * 8;
  }
  *reinterpret_cast<uint2*>(to) = make_uint2(words[0], words[1]);
}

// As in kv_cache.cu; queries become fp16. PARTS neighbouring lanes have a head and find its scale together.
extern "C" __global__ void rotary_append(
    unsigned char* kv,
    const float* qkv,
    int columns,
    int query_heads,
    int kv_heads,
    const float* __restrict__ cosines,
    const float* __restrict__ sines,
    int interleaved,
    const int* __restrict__ positions,
    const int* __restrict__ chunks,
    const int* __restrict__ slots,
    unsigned short* queries,
    int query_stride)
{
  constexpr int PARTS = powerOfTwo(HEAD_DIM / 16);
  int row = blockIdx.y;
  Place<HEAD_DIM, PARTS> place(blockIdx.x * blockDim.x + threadIdx.x, query_heads, kv_heads, interleaved);
  int chunk = chunks[row], slot = slots[row];
  float cosine[8], sine[8];
  readAngles(place, cosines, sines, positions + row, cosine, sine);
  afterPredecessor();
  Runs x = {};
  if (place.inside) {
    readRotated(place, qkv + (long)row * columns, cosine, sine, interleaved, x);
  }
  float largest = 0;
  int finite = 1;
#pragma unroll
  for (int i = 0; i < 8; i++) {
    float magnitudes[2] = {fabsf(x.first[i]), fabsf(x.second[i])};
    largest = fmaxf(largest, fmaxf(magnitudes[0], magnitudes[1]));
    finite &= magnitudes[0] < INFINITE && magnitudes[1] < INFINITE;
  }
#pragma unroll
  for (int step = PARTS / 2; step > 0; step /= 2) {
    largest = fmaxf(largest, __shfl_xor_sync(ALL_LANES, largest, step));
    finite &= __shfl_xor_sync(ALL_LANES, finite, step);
  }
  if (!place.inside) {
    return;
  }
  if (place.head < query_heads) {
    unsigned short* to = queries + (long)row * query_stride + place.head * HEAD_DIM;
    narrow8<F16>(x.first, to + place.first);
    narrow8<F16>(x.second, to + place.second);
  } else if (chunk >= 0) {
    int head = place.head - query_heads;
    unsigned char* to = kv + (place.rotates ? eightTile(chunk, kv_heads, head, 0) : eightTile(chunk, kv_heads, head - kv_heads, 1));
    float scale = eightScaleOf(largest, finite);
    narrowEight8(x.first, scale, to + eightValue(slot, place.first));
    narrowEight8(x.second, scale, to + eightValue(slot, place.second));
    if (place.part == 0) {
      *reinterpret_cast<float*>(to + eightScale(slot)) = scale;
    }
  }
}
#endif

// The first slots of a chunk to another, all layers; layer = blockIdx.y. By pieces of 4 bytes.
extern "C" __global__ void copy_slots(
    unsigned char* __restrict__ kv, long layer_bytes, int kv_heads, int from, int to, int slots) {
  constexpr int WORDS = PAD_DIM / 4 + 1;  // of one slot; the last one is its scale
  int count = 2 * kv_heads * slots * WORDS;
  kv += blockIdx.y * layer_bytes;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x) {
    int word = i % WORDS;
    int slot = i / WORDS % slots;
    int tile = i / WORDS / slots;
    int offset = word < WORDS - 1 ? eightValue(slot, 4 * word) : eightScale(slot);
    const unsigned char* source = kv + eightTile(from, kv_heads, tile / 2, tile % 2);
    unsigned char* target = kv + eightTile(to, kv_heads, tile / 2, tile % 2);
    *reinterpret_cast<unsigned*>(target + offset) = *reinterpret_cast<const unsigned*>(source + offset);
  }
}
