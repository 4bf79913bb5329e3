package org.chunkllama.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.chunkllama.spi.DType;
import org.junit.jupiter.api.Test;

class KvTypesTest {
  @Test
  void bf16RoundsToTheNearestEven() {
    assertThat(widenedBf16(1f)).isEqualTo(1f);
    assertThat(widenedBf16(1f + 0x1p-8f)).isEqualTo(1f); // tie, down to even
    assertThat(widenedBf16(1f + 0x3p-8f)).isEqualTo(1f + 0x1p-6f); // tie, up to even
    assertThat(widenedBf16(-1f - 0x1.8p-8f)).isEqualTo(-1f - 0x1p-7f);
    assertThat(widenedBf16(Float.MAX_VALUE)).isEqualTo(Float.POSITIVE_INFINITY);
    assertThat(widenedBf16(Float.intBitsToFloat(0x7f800001))).isNaN();
  }

  @Test
  void halfClamps() {
    assertThat(Float.float16ToFloat(KvWriter.half(1e6f))).isEqualTo(65504f);
    assertThat(Float.float16ToFloat(KvWriter.half(Float.NEGATIVE_INFINITY))).isEqualTo(-65504f);
    assertThat(Float.float16ToFloat(KvWriter.half(0x1p-24f))).isEqualTo(0x1p-24f);
  }

  /** Every finite half, in both places of a pair; neighbouring rows stay apart. */
  @Test
  void wideningIsExact() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment pairs = arena.allocate(4 * 65536, 64);
      MemorySegment wide = arena.allocate(8 * 65536, 64);
      for (DType type : new DType[] {DType.F16, DType.BF16}) {
        for (int i = 0; i < 65536; i++) {
          pairs.setAtIndex(ValueLayout.JAVA_SHORT, 2L * i, (short) i);
          pairs.setAtIndex(ValueLayout.JAVA_SHORT, 2L * i + 1, (short) (i ^ 0x55));
        }
        KvWidener.widen(type, 65536 / 32, 32, pairs.address(), wide.address());
        for (int i = 0; i < 65536; i++) {
          int row = 2 * (i / 32);
          check(type, (short) i, wide.getAtIndex(ValueLayout.JAVA_FLOAT, row * 32 + i % 32));
          float high = wide.getAtIndex(ValueLayout.JAVA_FLOAT, (row + 1) * 32 + i % 32);
          check(type, (short) (i ^ 0x55), high);
        }
      }
    }
  }

  private static void check(DType type, short bits, float actual) {
    float expected = type == DType.F16 ? Float.float16ToFloat(bits) : bf16(bits);
    if (Float.isFinite(expected)
        && Float.floatToRawIntBits(expected) != Float.floatToRawIntBits(actual)) {
      assertThat(actual).as("%s %04x", type, bits & 0xffff).isEqualTo(expected);
    }
  }

  private static float bf16(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }

  private static float widenedBf16(float x) {
    return bf16(KvWriter.bf16(x));
  }
}
