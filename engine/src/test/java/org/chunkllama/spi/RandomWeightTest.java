package org.chunkllama.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RandomWeightTest {
  private static float value(RandomWeight weight, long index) {
    return Float.intBitsToFloat(weight.bits(index) << 16);
  }

  @Test
  void sumsOverARowStayNearOne() {
    RandomWeight weight = RandomWeight.named("blk.0.ffn_up.weight", 300, 400, 1);
    double sum = 0;
    double squares = 0;
    Set<Float> different = new HashSet<>();
    for (long i = 0; i < 120_000; i++) {
      float value = value(weight, i);
      assertThat(Math.abs(value)).isLessThanOrEqualTo(weight.spread());
      sum += value;
      squares += value * value;
      different.add(value);
    }
    assertThat(sum / 120_000).isCloseTo(0, within(5e-4)); // deviation of the mean: 1.4e-4
    assertThat(squares / 120_000 * 400).isCloseTo(1, within(0.02));
    assertThat(different).hasSizeGreaterThan(1000);
  }

  @Test
  void tensorHoldsTheValuesRowByRow() {
    RandomWeight weight = RandomWeight.named("a", 7, 33, 5);
    WeightTensor tensor = weight.tensor();
    assertThat(tensor.type()).isEqualTo(DType.BF16);
    float[] row = new float[33];
    for (int r = 0; r < 7; r++) {
      Dequantizer.row(tensor, r, row, 0);
      for (int i = 0; i < 33; i++) {
        assertThat(row[i]).isEqualTo(value(weight, r * 33L + i));
      }
    }
  }

  @Test
  void namesAndSeedsDiffer() {
    RandomWeight weight = RandomWeight.named("a", 7, 33, 5);
    assertThat(RandomWeight.named("a", 7, 33, 5)).isEqualTo(weight);
    assertThat(RandomWeight.named("b", 7, 33, 5).seed()).isNotEqualTo(weight.seed());
    assertThat(RandomWeight.named("a", 7, 33, 6).seed()).isNotEqualTo(weight.seed());
  }
}
