// Quantised weights as products read them: tiles of 16 outputs, [outputs / 16][inputs / VALUES] blocks of Tile::BYTES bytes, so what a
// warp reads lies in a row, scales included.
//
// A block holds units of 16 outputs x 32 inputs, quants in the order in which the 32 lanes of a warp give them to two mma.m16n8k16:
// lane 4 g + t has rows g and g + 8, of each the eight inputs at(t, 0..7). The sum over k does not care which k is where, so they
// are neighbours and in is read as it lies. Quants of 4 bits are one word per row: pair p (inputs 2p, 2p + 1) in bits 4p and
// 16 + 4p. Behind all quants of a block further bits, behind them scales of rows g and g + 8 side by side.
#pragma once
#include "formats.cuh"

typedef unsigned int u32;

// Of one unit, for the lane's two rows: value = scale * quant + offset. Q6_K has scales for each half of the inputs.
struct UnitScale {
  float scale[2][2];  // [half][row]
  float offset[2];    // [row]
};

__device__ __forceinline__ u32 word(const byte* at) { return *reinterpret_cast<const u32*>(at); }

__device__ __forceinline__ float low_half(u32 pair) { return widen<F16>(pair & 0xffff); }
__device__ __forceinline__ float high_half(u32 pair) { return widen<F16>(pair >> 16); }

__device__ __forceinline__ void put_half(byte* at, unsigned bits) { *reinterpret_cast<unsigned short*>(at) = bits; }

// Left where positive.
__device__ __forceinline__ u32 moved(u32 bits, int by) { return by >= 0 ? bits << by : bits >> -by; }

template <typename Format>
struct Tile {
  static const int VALUES = Format::VALUES;
  static const int UNITS = VALUES / 32;
  static const int ZERO = Format::ZERO;
  static const bool EIGHT = Format::BITS == 8;
  static const int HIGH = EIGHT ? 0 : Format::BITS - 4;  // bits beyond four
  static const bool HALVES = Format::SCALED == 16;
  static const bool OFFSET = Format::OFFSET;

  static const int QUANTS = UNITS * (EIGHT ? 512 : 256);
  static const int HIGHS = UNITS * 64 * HIGH;
  static const int SMALL = UNITS > 1 ? UNITS * 32 : 0;  // scales of 6 or 8 bits: [unit][8][4]
  static const int LARGE = OFFSET ? 64 : 32;            // halves: [8][2 or 4]
  static const int BYTES = QUANTS + HIGHS + SMALL + LARGE;
  static const int SMALL_AT = QUANTS + HIGHS;
  static const int LARGE_AT = SMALL_AT + SMALL;

  // Input j of lane t's eight.
  static __device__ __forceinline__ int at(int t, int j) { return HALVES ? j / 4 * 16 + 4 * t + j % 4 : 8 * t + j; }

  static __device__ __forceinline__ const byte* quant_at(const byte* block, int unit, int lane) {
    return block + unit * (EIGHT ? 512 : 256) + lane * (EIGHT ? 16 : 8);
  }

  // One word a lane: for a unit (two bits) or two (one bit). Row g in bytes 0 and 2, row g + 8 in bytes 1 and 3.
  static __device__ __forceinline__ const byte* high_at(const byte* block, int unit, int lane) {
    return block + QUANTS + (HIGH == 1 ? unit / 2 : unit) * 128 + lane * 4;
  }

  // Where the bits of pair p begin in that word, the second value's 16 further.
  static __device__ __forceinline__ int high_bit(int unit, int upper, int p) {
    return upper * 8 + (HIGH == 1 ? unit % 2 * 4 + p : 2 * p);
  }

  // Row r (0 to 15) of the block from a block of the file.
  static __device__ void pack(const byte* from, int r, byte* block) {
    int g = r % 8, upper = r / 8;
    for (int unit = 0; unit < UNITS; unit++) {
      for (int t = 0; t < 4; t++) {
        u32 words[2] = {0, 0};
        u32 high = 0;
        for (int j = 0; j < 8; j++) {
          u32 q = Format::quant(from, unit * 32 + at(t, j));
          if (EIGHT) {
            words[j / 4] |= (q & 255) << j % 4 * 8;
          } else {
            words[0] |= (q & 15) << (j / 2 * 4 + j % 2 * 16);
            high |= (q >> 4) << (high_bit(unit, 0, j / 2) + j % 2 * 16);
          }
        }
        byte* to = const_cast<byte*>(quant_at(block, unit, 4 * g + t));
        if (EIGHT) {  // words: first product's rows g and g + 8, then the second's
          *reinterpret_cast<u32*>(to + upper * 4) = words[0];
          *reinterpret_cast<u32*>(to + 8 + upper * 4) = words[1];
        } else {
          *reinterpret_cast<u32*>(to + upper * 4) = words[0];
        }
        if (HIGH > 0) {
          byte* bits = const_cast<byte*>(high_at(block, unit, 4 * g + t)) + upper;
          bool add = HIGH == 1 && unit % 2 == 1;  // the even unit's bits are there
          bits[0] = (add ? bits[0] : 0) | (high & 255);
          bits[2] = (add ? bits[2] : 0) | (high >> 16 & 255);
        }
      }
      if (SMALL > 0) {
        byte* small = block + SMALL_AT + unit * 32 + g * 4 + upper;
        if constexpr (HALVES) {
          small[0] = (byte)Format::scale(from, 2 * unit);
          small[2] = (byte)Format::scale(from, 2 * unit + 1);
        } else if constexpr (OFFSET) {
          small[0] = scale6(from + 4, unit);
          small[2] = minimum6(from + 4, unit);
        }
      }
    }
    byte* large = block + LARGE_AT + g * (LARGE / 8) + upper * 2;
    put_half(large, half_bits(from + (HALVES ? 208 : 0)));
    if (OFFSET) {
      put_half(large + 4, half_bits(from + 2));
    }
  }

  // The lane's eight values of row lane / 4 + 8 * upper in a unit, inputs at(lane % 4, 0..7), as the reader's.
  static __device__ __forceinline__ void eight(const byte* block, int unit, int lane, int upper, float (&v)[8]) {
    int g = lane / 4;
    const byte* from = quant_at(block, unit, lane) + upper * 4;
    const byte* large = block + LARGE_AT + g * (LARGE / 8) + upper * 2;
    const byte* small = block + SMALL_AT + unit * 32 + g * 4 + upper;
    float d = half(large);
    if constexpr (EIGHT) {
      u32 words[2] = {word(from), word(from + 8)};
#pragma unroll
      for (int j = 0; j < 8; j++) {
        v[j] = plain(d, (signed char)(words[j / 4] >> j % 4 * 8));
      }
    } else {
      u32 quants = word(from);
      u32 more = HIGH > 0 ? word(high_at(block, unit, lane)) : 0;
      float scale[2] = {d, d};
      float offset = OFFSET ? half(large + 4) : 0;
      if constexpr (HALVES) {
        scale[0] = plain(d, (signed char)small[0]);
        scale[1] = plain(d, (signed char)small[2]);
      } else if constexpr (SMALL > 0) {
        scale[0] = plain(d, small[0]);
        offset = -plain(offset, small[2]);
      }
#pragma unroll
      for (int j = 0; j < 8; j++) {
        int q = quants >> (j / 2 * 4 + j % 2 * 16) & 15;
        if constexpr (HIGH > 0) {
          q |= (more >> (high_bit(unit, upper, j / 2) + j % 2 * 16) & ((1 << HIGH) - 1)) << 4;
        }
        v[j] = OFFSET ? shifted(scale[0], q, offset) : plain(scale[HALVES ? j / 4 : 0], q - ZERO);
      }
    }
  }

  // Small integers to two values of PRODUCT_TYPE, exactly: x = (bits of 1024 + q or 128 + q) - bias.
  static __device__ __forceinline__ u32 values(u32 quants) {
    u32 result;
    if constexpr (PRODUCT_TYPE == F16) {
      asm("sub.f16x2 %0, %1, %2;" : "=r"(result) : "r"(quants | 0x64006400u), "r"(0x64006400u + ZERO * 0x10001u));
    } else {
      asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(result) : "r"(quants | 0x43004300u), "r"(0x3f803f80u), "r"(0xc300c300u + ZERO * 0x10001u));
    }
    return result;
  }

  // Four signed bytes to four values.
  static __device__ __forceinline__ void widen4(u32 bytes, u32& low, u32& high) {
    if constexpr (PRODUCT_TYPE == F16) {
      u32 u = bytes ^ 0x80808080u;
      u32 a = __byte_perm(u, 0x64646464u, 0x4140);
      u32 b = __byte_perm(u, 0x64646464u, 0x4342);
      asm("sub.f16x2 %0, %1, %2;" : "=r"(low) : "r"(a), "r"(0x64806480u));
      asm("sub.f16x2 %0, %1, %2;" : "=r"(high) : "r"(b), "r"(0x64806480u));
    } else {
      u32 a = __byte_perm(bytes, 0x43434343u, 0x4140);
      u32 b = __byte_perm(bytes, 0x43434343u, 0x4342);
      // 128 + low seven bits, less 128 or, where the sign is set, 256
      asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(low) : "r"(a & 0xff80ff80u), "r"(0xbf80bf80u), "r"(a & 0xff7fff7fu));
      asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(high) : "r"(b & 0xff80ff80u), "r"(0xbf80bf80u), "r"(b & 0xff7fff7fu));
    }
  }

  // The lane's quants of a unit as operands of two products.
  static __device__ __forceinline__ void operands(const byte* block, int unit, int lane, u32 (&a)[2][4]) {
    const byte* from = quant_at(block, unit, lane);
    if constexpr (EIGHT) {
      uint4 q = *reinterpret_cast<const uint4*>(from);
      widen4(q.x, a[0][0], a[0][2]);
      widen4(q.y, a[0][1], a[0][3]);
      widen4(q.z, a[1][0], a[1][2]);
      widen4(q.w, a[1][1], a[1][3]);
    } else {
      uint2 q = *reinterpret_cast<const uint2*>(from);
      u32 more = HIGH > 0 ? word(high_at(block, unit, lane)) : 0;
#pragma unroll
      for (int p = 0; p < 4; p++) {
#pragma unroll
        for (int upper = 0; upper < 2; upper++) {
          u32 quants = (upper ? q.y : q.x) >> 4 * p & 0x000f000fu;
          if (HIGH > 0) {
            quants |= moved(more, 4 - high_bit(unit, upper, p)) & (HIGH == 2 ? 0x00300030u : 0x00100010u);
          }
          a[p / 2][p % 2 * 2 + upper] = values(quants);
        }
      }
    }
  }

  // large * byte i: the byte in the mantissa of 2^23, which is taken away again. Exact: 11 bits times 8.
  static __device__ __forceinline__ float twice(float large, u32 small, int i) {
    const float bias = 8388608.0f + (HALVES ? 128 : 0);  // signed bytes
    float raised = __int_as_float(__byte_perm(HALVES ? small ^ 0x80808080u : small, 0x4b000000u, 0x7440 + i));
    return HALVES ? large * (raised - bias) : __fmaf_rn(large, raised, -large * bias);
  }

  static __device__ __forceinline__ void scales(const byte* block, int unit, int g, UnitScale& s) {
    const byte* large = block + LARGE_AT + g * (LARGE / 8);
    uint2 d = OFFSET ? *reinterpret_cast<const uint2*>(large) : make_uint2(word(large), 0);
    u32 small = SMALL > 0 ? word(block + SMALL_AT + unit * 32 + g * 4) : 0;
#pragma unroll
    for (int upper = 0; upper < 2; upper++) {
      float scale = upper ? high_half(d.x) : low_half(d.x);
      float offset = upper ? high_half(d.y) : low_half(d.y);
      if (HALVES) {
        s.scale[0][upper] = twice(scale, small, upper);
        s.scale[1][upper] = twice(scale, small, 2 + upper);
      } else {
        s.scale[0][upper] = SMALL > 0 ? twice(scale, small, upper) : scale;
        s.offset[upper] = SMALL > 0 ? twice(-offset, small, 2 + upper) : offset;
      }
    }
  }
};
