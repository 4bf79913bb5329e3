package org.chunkllama.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Goldens come from Python's gguf package: tools/goldens/quants.py. */
class DequantizerTest {
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      mode = EnumSource.Mode.EXCLUDE,
      names = {"F8", "I8"}) // of keys and values alone
  void equalsGgufPythonBitForBit(DType type) throws IOException {
    int values = type.isQuantised() ? 3 * type.blockValues() : 96;
    MemorySegment golden = golden(type);
    long stored = type.bytes(values);
    assertThat(golden.byteSize()).isEqualTo(stored + 4L * values);

    // An odd offset: rows of quantised types are rarely aligned.
    MemorySegment data = MemorySegment.ofArray(new byte[(int) stored + 1]);
    MemorySegment.copy(golden, 0, data, 1, stored);
    float[] out = new float[values + 2];
    Arrays.fill(out, Float.NaN);
    Dequantizer.row(type, data, 1, values, out, 1);

    assertThat(out[0]).isNaN();
    assertThat(out[values + 1]).isNaN();
    for (int i = 0; i < values; i++) {
      assertThat(Float.floatToRawIntBits(out[i + 1]))
          .as("%s[%d]", type, i)
          .isEqualTo(golden.get(INT, stored + 4L * i));
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      mode = EnumSource.Mode.EXCLUDE,
      names = {"F8", "I8"}) // of keys and values alone
  void readsOneRowOfAMatrix(DType type) throws IOException {
    int columns = type.isQuantised() ? type.blockValues() : 32;
    WeightTensor weight =
        new WeightTensor("w", type, 3, columns, golden(type).asSlice(0, type.bytes(3L * columns)));
    float[] all = new float[3 * columns];
    Dequantizer.row(type, weight.data(), 0, 3 * columns, all, 0);
    float[] row = new float[columns];
    Dequantizer.row(weight, 2, row, 0);
    assertThat(row).isEqualTo(Arrays.copyOfRange(all, 2 * columns, 3 * columns));
  }

  @Test
  void refusesWhatDoesNotFit() {
    MemorySegment data = MemorySegment.ofArray(new byte[34]);
    assertThatThrownBy(() -> Dequantizer.row(DType.Q8_0, data, 0, 31, new float[32], 0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Dequantizer.row(DType.Q8_0, data, 1, 32, new float[32], 0))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> Dequantizer.row(DType.Q8_0, data, 0, 32, new float[32], 1))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  private static MemorySegment golden(DType type) throws IOException {
    try (var in = DequantizerTest.class.getResourceAsStream("quants/" + type + ".bin")) {
      if (in == null) {
        throw new IOException("no golden for " + type);
      }
      return MemorySegment.ofArray(in.readAllBytes());
    }
  }
}
