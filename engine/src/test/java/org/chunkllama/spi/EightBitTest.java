package org.chunkllama.spi;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class EightBitTest {
  @Test
  void everyE4m3IsItself() {
    for (int code = 0; code < 256; code++) {
      if ((code & 0x7f) == 0x7f) {
        continue; // NaN, which is not written
      }
      float value = EightBit.widen(DType.F8, (byte) code, 1);
      assertThat(value).isEqualTo(e4m3(code));
      assertThat(EightBit.narrow(DType.F8, value, 1)).isEqualTo((byte) code);
    }
  }

  /** Sign, 4 bits of exponent of bias 7, 3 of mantissa; exponent 0: no leading one. */
  private static float e4m3(int code) {
    int exponent = code >> 3 & 15;
    double mantissa = (code & 7) / 8.0 + (exponent == 0 ? 0 : 1);
    double value = mantissa * Math.pow(2, Math.max(exponent, 1) - 7);
    return (float) ((code & 0x80) == 0 ? value : -value);
  }

  @Test
  void betweenTwoTheEvenOneIsTaken() {
    for (int code = 0; code < 0x7e; code++) {
      float low = e4m3(code);
      float high = e4m3(code + 1);
      float middle = (low + high) / 2;
      byte even = (byte) (code % 2 == 0 ? code : code + 1);
      assertThat(EightBit.narrow(DType.F8, middle, 1)).isEqualTo(even);
      assertThat(EightBit.narrow(DType.F8, Math.nextDown(middle), 1)).isEqualTo((byte) code);
      assertThat(EightBit.narrow(DType.F8, Math.nextUp(middle), 1)).isEqualTo((byte) (code + 1));
      assertThat(EightBit.narrow(DType.F8, -middle, 1)).isEqualTo((byte) (even | 0x80));
    }
    for (int n = -127; n < 127; n++) {
      byte even = (byte) (n % 2 == 0 ? n : n + 1);
      assertThat(EightBit.narrow(DType.I8, n + 0.5f, 1)).isEqualTo(even);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F8", "I8"})
  void headsOfAnySizeNeverOverflow(DType type) {
    SplittableRandom random = new SplittableRandom(1);
    for (int exponent = -99; exponent < 127; exponent++) {
      float[] head = new float[64];
      for (int i = 0; i < head.length; i++) {
        head[i] = (float) Math.scalb(random.nextDouble(-1, 1), exponent);
      }
      head[5] = Math.scalb(1.37f, exponent);
      float scale = EightBit.scale(type, head, 0, head.length);
      float back = EightBit.widen(type, EightBit.narrow(type, head[5], scale), scale);
      assertThat(back / head[5]).isBetween(1 - 1e-6f, 1 + 1e-6f); // the largest is met
      double step = type == DType.F8 ? 16 : 0.5; // half of the largest distance of two numbers
      for (float x : head) {
        float stored = EightBit.widen(type, EightBit.narrow(type, x, scale), scale);
        assertThat(Math.abs(stored - x)).isLessThanOrEqualTo((float) (step * scale * 1.0001));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F8", "I8"})
  void zeroAndWhatIsNotFinite(DType type) {
    float[] head = new float[8];
    assertThat(EightBit.scale(type, head, 0, 8)).isZero();
    assertThat(EightBit.widen(type, EightBit.narrow(type, 0, 0), 0)).isZero();
    head[3] = Float.MIN_VALUE; // too small for a scale
    assertThat(EightBit.scale(type, head, 0, 8)).isZero();
    assertThat(EightBit.narrow(type, head[3], 0)).isZero();
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
      head[6] = bad;
      float scale = EightBit.scale(type, head, 0, 8);
      assertThat(scale).isNaN();
      assertThat(EightBit.widen(type, EightBit.narrow(type, bad, scale), scale)).isNaN();
      assertThat(EightBit.widen(type, EightBit.narrow(type, 0, scale), scale)).isNaN();
    }
    assertThat(EightBit.scale(type, head, 0, 6)).isZero();
  }

  @Test
  void layoutsCountScales() {
    assertThat(new KvLayout(2, 3, 128, 64, DType.F8).bytesPerToken()).isEqualTo(2 * 2 * 3 * 132);
    assertThat(new KvLayout(1, 1, 64, 16, DType.I8).bytesPerChunk()).isEqualTo(2 * 16 * 68);
    assertThat(new KvLayout(1, 1, 64, 16, DType.BF16).bytesPerToken()).isEqualTo(2 * 128);
  }
}
