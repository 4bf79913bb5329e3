// Attention in fp32 arithmetic throughout, over KV of any type: the plain twin of attention.cu, with its
// records and arguments (README.md). HEAD_DIM, CHUNK, GROUP: shape; KV_TYPE: how K and V are stored
// (numbers.cuh), or KV_EIGHT (kv_layout.cuh). q and out are fp32.
#include "kv_layout.cuh"
#include "numbers.cuh"

#if KV_EIGHT
#include "eight.cuh"

typedef unsigned char Kv;

// K or V of one token and head.
struct Head {
  const Kv* tile;
  int slot;
  float scale;
  __device__ Head(const Kv* kv, int chunk, int kv_heads, int kv_head, int which, int at)
      : tile(kv + eightTile(chunk, kv_heads, kv_head, which)), slot(at), scale(*reinterpret_cast<const float*>(tile + eightScale(at))) {}
  __device__ float operator[](int x) const { return widenEight(tile[eightValue(slot, x)]) * scale; }
};
#else
typedef Stored<KV_TYPE>::T Kv;

struct Head {
  const Kv* tile;
  int slot;
  __device__ Head(const Kv* kv, int chunk, int kv_heads, int kv_head, int which, int at)
      : tile(kv + kvTile(chunk, kv_heads, kv_head, which)), slot(at) {}
  __device__ float operator[](int x) const { return widen<KV_TYPE>(tile[kvOffset(slot, x)]); }
};
#endif

constexpr int RECORD = 16;                               // ints of a record
constexpr int PARTS = (HEAD_DIM + WARP - 1) / WARP;      // values of a head that a lane holds

struct Arguments {
  const Kv* kv;
  const float* q;
  long q_stride;
  float* out;
  long out_stride;
  const int* records;
  const int* lengths;
  const int* chunk_ids;
  const int* row_position;
  const int* row_partial_start;
  const int* row_partial;
  float* partial_o;
  float* partial_ml;
  int* arrivals;
  int record_cap;
  float scale;
};

// The attention state of one row and query head over the tokens of a record. m is in units of scaled scores.
struct State {
  float m, l;
  float o[PARTS];
};

// One warp: each lane scores one token of 32, then all lanes gather V by dimension.
__device__ void take_tokens(
    const Arguments& a, const float* q, int kv_head, const int* chunks, int first_slot, int tokens, State& state) {
  int lane = threadIdx.x % WARP;
  for (int base = 0; base < tokens; base += WARP) {
    int token = base + lane;
    float score = -INFINITE;
    if (token < tokens) {
      int at = first_slot + token;
      Head k(a.kv, chunks[at / CHUNK], gridDim.y, kv_head, 0, at % CHUNK);
      float sum = 0;
      for (int x = 0; x < HEAD_DIM; x++) {
        sum += q[x] * k[x];
      }
      score = sum * a.scale;
    }
    float m = fmaxf(state.m, warp_max(score));
    if (m == -INFINITE) {
      continue;  // nothing has any weight so far
    }
    float weight = score == -INFINITE ? 0.0f : expf(score - m);
    float old = state.m == -INFINITE ? 0.0f : expf(state.m - m);
    state.m = m;
    state.l = state.l * old + warp_sum(weight);
    for (int i = 0; i < PARTS; i++) {
      state.o[i] *= old;
    }
    int here = min(WARP, tokens - base);
    for (int t = 0; t < here; t++) {
      float w = __shfl_sync(ALL_LANES, weight, t);
      if (w > 0) {
        int at = first_slot + base + t;
        Head v(a.kv, chunks[at / CHUNK], gridDim.y, kv_head, 1, at % CHUNK);
        for (int i = 0; i < PARTS; i++) {
          int x = i * WARP + lane;
          if (x < HEAD_DIM) {
            state.o[i] += w * v[x];
          }
        }
      }
    }
  }
}

__device__ void write_out(const Arguments& a, int row, int head, const State& state) {
  float inverse = state.l > 0 ? 1.0f / state.l : 0.0f;
  for (int i = 0; i < PARTS; i++) {
    int x = i * WARP + threadIdx.x % WARP;
    if (x < HEAD_DIM) {
      a.out[row * a.out_stride + (long)head * HEAD_DIM + x] = state.o[i] * inverse;
    }
  }
}

__device__ void write_partial(const Arguments& a, long slot, int head, const State& state) {
  long at = slot * (GROUP * gridDim.y) + head;
  if (threadIdx.x % WARP == 0) {
    a.partial_ml[2 * at] = state.m;
    a.partial_ml[2 * at + 1] = state.l;
  }
  for (int i = 0; i < PARTS; i++) {
    int x = i * WARP + threadIdx.x % WARP;
    if (x < HEAD_DIM) {
      a.partial_o[at * HEAD_DIM + x] = state.o[i];
    }
  }
}

// One warp merges all partial states of a row and query head.
__device__ void merge(const Arguments& a, int row, int head) {
  State total;
  total.m = -INFINITE;
  total.l = 0;
  for (int i = 0; i < PARTS; i++) {
    total.o[i] = 0;
  }
  for (int s = a.row_partial_start[row]; s < a.row_partial_start[row + 1]; s++) {
    long at = (long)a.row_partial[s] * (GROUP * gridDim.y) + head;
    float m = __ldcg(a.partial_ml + 2 * at);
    float l = __ldcg(a.partial_ml + 2 * at + 1);
    if (m == -INFINITE) {
      continue;
    }
    float most = fmaxf(total.m, m);
    float old = total.m == -INFINITE ? 0.0f : expf(total.m - most);
    float weight = expf(m - most);
    total.m = most;
    total.l = total.l * old + l * weight;
    for (int i = 0; i < PARTS; i++) {
      int x = i * WARP + threadIdx.x % WARP;
      float o = x < HEAD_DIM ? __ldcg(a.partial_o + at * HEAD_DIM + x) : 0.0f;
      total.o[i] = total.o[i] * old + o * weight;
    }
  }
  write_out(a, row, head, total);
}

// Block (lane, kv head) works through the lane's records; the last to arrive at a row merges it.
extern "C" __global__ void attention_exact(
    const Kv* kv, const float* q, long q_stride, float* out, long out_stride, const int* records, const int* lengths,
    const int* chunk_ids, const int* row_position, const int* row_partial_start, const int* row_partial,
    float* partial_o, float* partial_ml, int* arrivals, int record_cap, float scale) {
  Arguments a{kv, q, q_stride, out, out_stride, records, lengths, chunk_ids, row_position, row_partial_start,
              row_partial, partial_o, partial_ml, arrivals, record_cap, scale};
  __shared__ int last;
  int warp = threadIdx.x / WARP;
  int warps = blockDim.x / WARP;
  int kv_head = blockIdx.y;
  for (int i = 0; i < record_cap; i++) {
    long index = (long)blockIdx.x * record_cap + i;
    int tokens = lengths[index];
    if (tokens == 0) {
      return;
    }
    const int* record = records + index * RECORD;
    int first_row = record[0];
    int rows = record[1];
    int first_token = record[2];
    bool causal = record[3] & 1;
    int partial = record[4];
    const int* chunks = chunk_ids + record[5];
    for (int pair = warp; pair < rows * GROUP; pair += warps) {
      int row = first_row + pair / GROUP;
      int head = kv_head * GROUP + pair % GROUP;
      int seen = causal ? min(tokens, row_position[row] + 1 - first_token) : tokens;
      State state;
      state.m = -INFINITE;
      state.l = 0;
      for (int p = 0; p < PARTS; p++) {
        state.o[p] = 0;
      }
      take_tokens(a, q + row * q_stride + (long)head * HEAD_DIM, kv_head, chunks, first_token % CHUNK, seen, state);
      if (partial < 0) {
        write_out(a, row, head, state);
      } else {
        write_partial(a, (long)partial + pair / GROUP, head, state);
      }
    }
    if (partial < 0) {
      continue;
    }
    __threadfence();
    __syncthreads();
    for (int r = 0; r < rows; r++) {
      int row = first_row + r;
      if (threadIdx.x == 0) {
        int* counter = arrivals + (long)row * gridDim.y + kv_head;
        int expected = row_partial_start[row + 1] - row_partial_start[row];
        last = atomicAdd(counter, 1) == expected - 1;
        if (last) {
          *counter = 0;
        }
        __threadfence();
      }
      __syncthreads();
      if (last) {
        for (int g = warp; g < GROUP; g += warps) {
          merge(a, row, kv_head * GROUP + g);
        }
      }
      __syncthreads();
    }
  }
}
