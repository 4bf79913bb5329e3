// Sixteen values of one head in a thread, as two runs of eight neighbours: read at once, rotated in registers, written at once.
#pragma once
#include "numbers.cuh"

struct Runs {
  float first[8];
  float second[8];
};

__device__ __forceinline__ void read8(const float* from, float (&to)[8]) {
  float4 low = *reinterpret_cast<const float4*>(from);
  float4 high = *reinterpret_cast<const float4*>(from + 4);
  to[0] = low.x, to[1] = low.y, to[2] = low.z, to[3] = low.w;
  to[4] = high.x, to[5] = high.y, to[6] = high.z, to[7] = high.w;
}

// Rotary embedding of eight pairs. interleaved: pairs are neighbours; otherwise one value of each run.
__device__ __forceinline__ void rotate(Runs& x, const float (&cosine)[8], const float (&sine)[8], bool interleaved) {
  auto turn = [&](float& a, float& b, int pair) {
    float rotated = a * cosine[pair] - b * sine[pair];
    b = b * cosine[pair] + a * sine[pair];
    a = rotated;
  };
#pragma unroll
  for (int i = 0; i < 8; i++) {
    if (interleaved) {
      turn(i < 4 ? x.first[2 * i] : x.second[2 * i - 8], i < 4 ? x.first[2 * i + 1] : x.second[2 * i - 7], i);
    } else {
      turn(x.first[i], x.second[i], i);
    }
  }
}

// A thread's place among queries, keys and values of a row: which head, where in it its runs begin.
// Threads of a row: heads x PARTS, PARTS a power of two; some of them have nothing to do.
template <int HEAD, int PARTS>
struct Place {
  int head, part;
  bool inside;      // has sixteen values
  bool rotates;     // of a query or a key
  int first, second;

  // interleaved: of the pairs to rotate; values are read as they lie.
  __device__ __forceinline__ Place(int index, int query_heads, int kv_heads, bool interleaved)
      : head(index / PARTS), part(index % PARTS) {
    inside = head < query_heads + 2 * kv_heads && part < HEAD / 16;
    rotates = head < query_heads + kv_heads;
    bool split = rotates && !interleaved;
    first = split ? 8 * part : 16 * part;
    second = split ? 8 * part + HEAD / 2 : 16 * part + 8;
  }
};

// Cosines and sines of its eight pairs at a position, if it rotates any: no kernel writes them.
template <int HEAD, int PARTS>
__device__ __forceinline__ void readAngles(
    const Place<HEAD, PARTS>& place, const float* cosines, const float* sines, const int* position, float (&cosine)[8], float (&sine)[8]) {
  if (place.inside && place.rotates) {
    long at = (long)*position * (HEAD / 2) + 8 * place.part;
    read8(cosines + at, cosine);
    read8(sines + at, sine);
  }
}

// Its values of a row, rotated; it must have some.
template <int HEAD, int PARTS>
__device__ __forceinline__ void readRotated(
    const Place<HEAD, PARTS>& place, const float* row, const float (&cosine)[8], const float (&sine)[8], bool interleaved, Runs& x) {
  const float* from = row + place.head * HEAD;
  read8(from + place.first, x.first);
  read8(from + place.second, x.second);
  if (place.rotates) {
    rotate(x, cosine, sine, interleaved);
  }
}

__host__ __device__ constexpr int powerOfTwo(int least) {
  int power = 1;
  while (power < least) power *= 2;
  return power;
}
