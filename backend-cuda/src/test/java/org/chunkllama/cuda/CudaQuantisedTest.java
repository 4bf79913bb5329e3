package org.chunkllama.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.BackendOptions.Precision;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.Dequantizer;
import org.chunkllama.spi.Matrix;
import org.chunkllama.spi.RandomWeight;
import org.chunkllama.spi.Tensor;
import org.chunkllama.spi.WeightPolicy;
import org.chunkllama.spi.WeightTensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Weights that stay quantised, against the same weights dequantised. */
class CudaQuantisedTest {
  private static final int OUTPUTS = 1500;
  private static final int INPUTS = 2304; // nine blocks of 256
  private static final BackendOptions KEPT =
      new BackendOptions(0, Precision.FP16, WeightPolicy.QUANTISED);
  private static final BackendOptions WIDE = new BackendOptions(0, Precision.FP16);

  @BeforeAll
  static void needsAGpu() {
    Gpu.require();
  }

  private static WeightTensor weight(DType type, int rows) {
    SplittableRandom random = new SplittableRandom(rows);
    MemorySegment data = Arena.ofAuto().allocate(rows * type.bytes(INPUTS), 2);
    for (long at = 0; at < data.byteSize(); at++) {
      data.set(ValueLayout.JAVA_BYTE, at, (byte) random.nextInt());
    }
    for (long at = 0; at < data.byteSize(); at += type.blockBytes()) {
      half(random, data, type == DType.Q6_K ? at + 208 : at);
      if (type == DType.Q4_1 || type == DType.Q4_K || type == DType.Q5_K) {
        half(random, data, at + 2);
      }
    }
    return new WeightTensor("w" + rows, type, rows, INPUTS, data);
  }

  private static void half(SplittableRandom random, MemorySegment data, long at) {
    short bits = Float.floatToFloat16((float) random.nextDouble(0.001, 0.01));
    data.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, bits);
  }

  private static float[] product(BackendOptions options, int rows, List<WeightTensor> parts) {
    float[] result = new float[rows * OUTPUTS];
    float[] row = new float[INPUTS];
    SplittableRandom random = new SplittableRandom(4);
    try (Backend backend = Gpu.open(options)) {
      Matrix w = backend.matrix(parts);
      try (Tensor in = backend.tensor(rows, INPUTS);
          Tensor out = backend.tensor(rows, OUTPUTS)) {
        for (int r = 0; r < rows; r++) {
          for (int i = 0; i < INPUTS; i++) {
            row[i] = (float) random.nextDouble(-1, 1);
          }
          in.write(r, row, 0);
        }
        backend.linear(w, null, in, rows, out, false);
        backend.linear(w, null, in, rows, out, true);
        for (int r = 0; r < rows; r++) {
          out.read(r, result, r * OUTPUTS);
        }
      }
    }
    return result;
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"Q8_0", "Q4_0", "Q4_1", "Q4_K", "Q5_K", "Q6_K"})
  void productsAgreeWithThoseOfDequantisedWeights(DType type) {
    agree(List.of(weight(type, 1000), weight(type, 37), weight(type, 463)));
  }

  /** As in files of Q4_K_M, whose values have more bits than queries and keys. */
  @Test
  void partsOfSeveralTypes() {
    agree(List.of(weight(DType.Q4_K, 1000), weight(DType.Q4_K, 37), weight(DType.Q6_K, 463)));
  }

  private static void agree(List<WeightTensor> parts) {
    for (int rows : new int[] {1, 7, 9, 16, 31, 40, 96, 97, 150}) {
      float[] kept = product(KEPT, rows, parts);
      float[] wide = product(WIDE, rows, parts);
      double difference = 0;
      double size = 0;
      for (int i = 0; i < kept.length; i++) {
        difference += Math.pow(kept[i] - wide[i], 2);
        size += Math.pow(wide[i], 2);
      }
      // fp16 weights are rounded, quantised ones are not.
      assertThat(Math.sqrt(difference / size)).as("%d rows", rows).isLessThan(4e-4);
      if (rows <= QuantisedProducts.ROWS_MAX) { // cuBLASLt's choice may differ from run to run
        boolean same = Arrays.equals(product(KEPT, rows, parts), kept);
        assertThat(same).as("%d rows, again", rows).isTrue();
      }
    }
  }

  @Test
  void theyTakeLessMemory() {
    WeightTensor eight = weight(DType.Q8_0, 1600);
    WeightTensor four = weight(DType.Q4_K, 1600);
    try (Backend kept = Gpu.open(KEPT);
        Backend wide = Gpu.open(WIDE)) {
      long values = 1600L * INPUTS;
      assertThat(kept.matrix(List.of(eight)).bytes()).isEqualTo(values * 34 / 32);
      assertThat(kept.keptBytes(DType.Q8_0, values)).hasValue(values * 34 / 32);
      assertThat(kept.matrix(List.of(four)).bytes()).isEqualTo(values * 37 / 64);
      assertThat(kept.keptBytes(DType.Q4_K, values)).hasValue(values * 37 / 64);
      assertThat(wide.matrix(List.of(four)).bytes()).isEqualTo(values * 2);
      assertThat(wide.keptBytes(DType.Q4_K, values)).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"Q8_0", "Q4_0", "Q4_1", "Q4_K", "Q5_K", "Q6_K"})
  void randomWeightsComeInTheSameTiles(DType type) {
    RandomWeight weight = RandomWeight.named("r", 300, INPUTS, 5);
    int[] tokens = IntStream.range(0, 300).toArray();
    float[] row = new float[INPUTS];
    double squares = 0;
    BackendOptions options =
        KEPT.withWeights(new WeightPolicy(WeightPolicy.Kind.QUANTISED, 1, type));
    try (Backend backend = Gpu.open(options);
        Tensor out = backend.tensor(300, INPUTS)) {
      Matrix w = backend.randomMatrix(List.of(weight));
      assertThat(w.bytes()).isEqualTo(KeptFormats.bytes(type, 304, INPUTS));
      backend.embed(w, tokens, 300, out);
      for (int r = 0; r < 300; r++) {
        out.read(r, row, 0);
        for (float value : row) {
          assertThat(Math.abs(value)).isLessThanOrEqualTo(weight.spread() * 1.005f);
          squares += value * value;
        }
      }
    }
    assertThat(squares / 300).isBetween(0.97, 1.15); // sums over a row stay near one
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"Q8_0", "Q4_0", "Q4_1", "Q4_K", "Q5_K", "Q6_K"})
  void rowsOfATableAreTheDequantisedOnes(DType type) {
    WeightTensor weight = weight(type, 100);
    int[] tokens = {0, 99, 17, 8, 98};
    float[] expected = new float[INPUTS];
    float[] row = new float[INPUTS];
    try (Backend backend = Gpu.open(KEPT);
        Tensor out = backend.tensor(5, INPUTS)) {
      backend.embed(backend.matrix(List.of(weight)), tokens, 5, out);
      for (int i = 0; i < tokens.length; i++) {
        Dequantizer.row(weight, tokens[i], expected, 0);
        out.read(i, row, 0);
        assertThat(row).isEqualTo(expected);
      }
    }
  }

  @Test
  void aValueBeyondFp16IsRefusedByName() {
    WeightTensor weight = weight(DType.Q8_0, 20);
    weight.data().set(ValueLayout.JAVA_SHORT, 34 * 72, Float.floatToFloat16(60000));
    weight.data().set(ValueLayout.JAVA_BYTE, 34 * 72 + 2, (byte) 100);
    try (Backend backend = Gpu.open(KEPT)) {
      assertThatThrownBy(() -> backend.matrix(List.of(weight(DType.Q8_0, 10), weight)))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("w20");
    }
  }
}
