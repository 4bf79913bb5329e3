package org.chunkllama.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.BackendOptions.Precision;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.Dequantizer;
import org.chunkllama.spi.Matrix;
import org.chunkllama.spi.RandomWeight;
import org.chunkllama.spi.Tensor;
import org.chunkllama.spi.WeightTensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Weights that stay in Q8_0, against the same weights dequantised. */
class CudaQuantisedTest {
  private static final int OUTPUTS = 1500;
  private static final int INPUTS = 2080;
  private static final BackendOptions KEPT = new BackendOptions(0, Precision.FP16, true);
  private static final BackendOptions WIDE = new BackendOptions(0, Precision.FP16, false);

  @BeforeAll
  static void needsAGpu() {
    Gpu.require();
  }

  private static WeightTensor weight(int rows) {
    SplittableRandom random = new SplittableRandom(rows);
    MemorySegment data = Arena.ofAuto().allocate((long) rows * INPUTS / 32 * 34, 2);
    for (long at = 0; at < data.byteSize(); at += 34) {
      short scale = Float.floatToFloat16((float) random.nextDouble(0.001, 0.01));
      data.set(ValueLayout.JAVA_SHORT, at, scale);
      for (int i = 2; i < 34; i++) {
        data.set(ValueLayout.JAVA_BYTE, at + i, (byte) random.nextInt());
      }
    }
    return new WeightTensor("w" + rows, DType.Q8_0, rows, INPUTS, data);
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

  @Test
  void productsAgreeWithThoseOfDequantisedWeights() {
    List<WeightTensor> parts = List.of(weight(1000), weight(37), weight(463));
    for (int rows : new int[] {1, 7, 8, 9, 16, 31, 40, 96, 97, 150}) {
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
  void theyTakeHalfTheMemory() {
    try (Backend kept = Gpu.open(KEPT);
        Backend wide = Gpu.open(WIDE)) {
      WeightTensor weight = weight(1600);
      assertThat(kept.matrix(List.of(weight)).bytes()).isEqualTo(1600L * INPUTS * 34 / 32);
      assertThat(wide.matrix(List.of(weight)).bytes()).isEqualTo(1600L * INPUTS * 2);
    }
  }

  @Test
  void randomWeightsComeInTheSameTiles() {
    RandomWeight weight = RandomWeight.named("r", 300, INPUTS, 5);
    int[] tokens = IntStream.range(0, 300).toArray();
    float[] row = new float[INPUTS];
    double squares = 0;
    try (Backend backend = Gpu.open(KEPT);
        Tensor out = backend.tensor(300, INPUTS)) {
      Matrix w = backend.randomMatrix(List.of(weight));
      assertThat(w.bytes()).isEqualTo(304L * INPUTS * 34 / 32);
      backend.embed(w, tokens, 300, out);
      for (int r = 0; r < 300; r++) {
        out.read(r, row, 0);
        for (float value : row) {
          assertThat(Math.abs(value)).isLessThanOrEqualTo(weight.spread() * 1.001f);
          squares += value * value;
        }
      }
    }
    assertThat(squares / 300).isBetween(0.98, 1.02); // sums over a row stay near one
  }

  @Test
  void rowsOfATableAreTheDequantisedOnes() {
    WeightTensor weight = weight(100);
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
}
