package org.chunkllama.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.BackendOptions.Precision;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.Matrix;
import org.chunkllama.spi.RandomWeight;
import org.chunkllama.spi.Tensor;
import org.chunkllama.spi.WeightTensor;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** {@link Backend#linear}: all weight types, awkward sizes, bias, residual, stacked parts. */
public abstract class LinearContract extends BackendContract {
  private static final int[] ROWS = {1, 2, 3, 8, 13, 63, 64, 65, 207};
  private static final float UNTOUCHED = -12345.5f;

  /** For the test of a backend. */
  protected LinearContract() {}

  /** Largest error relative to sum |w x|, and largest root mean square error, relative. */
  private record Tolerance(double worst, double mean) {
    static Tolerance of(Precision precision, int inputs) {
      return precision == Precision.FP32
          ? new Tolerance(0x1p-22 + inputs * 0x1p-27, 3e-6)
          : precision == Precision.FP16 ? new Tolerance(0.004, 0.002) : new Tolerance(0.03, 0.015);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      mode = EnumSource.Mode.EXCLUDE,
      names = {"F8", "I8"}) // of keys and values alone
  void everyTypeInExactArithmetic(DType type) {
    everySize(type, Precision.FP32);
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      mode = EnumSource.Mode.EXCLUDE,
      names = {"F8", "I8"}) // of keys and values alone
  void everyTypeInDefaultPrecision(DType type) {
    everySize(type, Precision.AUTO);
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "BF16", "Q4_1", "Q6_K"})
  void everyTypeInBf16(DType type) {
    everySize(type, Precision.BF16);
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      mode = EnumSource.Mode.EXCLUDE,
      names = {"F8", "I8"}) // of keys and values alone
  void everyTypeInFp16(DType type) {
    everySize(type, Precision.FP16);
  }

  private void everySize(DType type, Precision precision) {
    SplittableRandom random = new SplittableRandom(type.blockBytes());
    int block = type.blockValues();
    int[] inputs = block == 1 ? new int[] {1, 13, 100, 576} : new int[] {block, 3 * block, 576};
    int[] outputs = {1, 16, 31, 100};
    int turn = 0;
    for (int in : inputs) {
      int columns = in % block == 0 ? in : 2 * block;
      for (int out : outputs) {
        WeightTensor weight = Weights.random(random, type, out, columns, turn % 2 == 0);
        Case shapes = new Case(precision, List.of(weight), turn % 3 == 1, turn % 4 == 3);
        check(random, shapes, ROWS[turn++ % ROWS.length]);
        check(random, shapes, 1);
      }
    }
  }

  @Test
  void everyNumberOfRows() {
    SplittableRandom random = new SplittableRandom(3);
    WeightTensor weight = Weights.random(random, DType.Q4_1, 207, 288, true);
    for (int rows : ROWS) {
      check(random, new Case(Precision.FP32, List.of(weight), true, false), rows);
    }
  }

  @Test
  void allCombinationsOfBiasAndResidual() {
    SplittableRandom random = new SplittableRandom(4);
    for (Precision precision : precisions()) {
      WeightTensor weight = Weights.random(random, DType.F16, 70, 192, true);
      for (int rows : new int[] {1, 40}) {
        for (int flags = 0; flags < 4; flags++) {
          check(
              random, new Case(precision, List.of(weight), (flags & 1) > 0, (flags & 2) > 0), rows);
        }
      }
    }
  }

  @Test
  void randomWeightsAreTheSameOnEveryBackend() {
    List<RandomWeight> parts =
        List.of(RandomWeight.named("one", 5, 100, 7), new RandomWeight("two", 70, 100, -3L << 40));
    int[] tokens = {0, 4, 5, 74, 33};
    for (Precision precision : precisions()) {
      Backend backend = backend(new BackendOptions(0, precision));
      Matrix w = backend.randomMatrix(parts);
      assertThat(w.outputs()).isEqualTo(75);
      try (Tensor out = backend.tensor(tokens.length, 100)) {
        backend.embed(w, tokens, tokens.length, out);
        float[] values = read(out);
        for (int i = 0; i < values.length; i++) {
          int row = tokens[i / 100];
          RandomWeight part = parts.get(row < 5 ? 0 : 1);
          long index = (row < 5 ? row : row - 5) * 100L + i % 100;
          float expected = Float.intBitsToFloat(part.bits(index) << 16);
          if (precision == Precision.FP16) {
            expected = Float.float16ToFloat(Float.floatToFloat16(expected));
          }
          assertThat(values[i]).as("%s, value %d", precision, i).isEqualTo(expected);
        }
      }
    }
  }

  @Test
  void stackedPartsOfMixedTypes() {
    precisions().forEach(this::stackedPartsOfMixedTypes);
  }

  private void stackedPartsOfMixedTypes(Precision precision) {
    SplittableRandom random = new SplittableRandom(5);
    for (int rows : new int[] {1, 5, 64, 100}) {
      List<WeightTensor> parts = new ArrayList<>();
      parts.add(Weights.random(random, DType.Q4_K, 96, 512, true));
      parts.add(Weights.random(random, DType.Q4_K, 33, 512, true));
      parts.add(Weights.random(random, DType.Q6_K, 33, 512, false));
      check(random, new Case(precision, parts, true, false), rows);
      parts.set(0, Weights.random(random, DType.F32, 50, 512, false));
      check(random, new Case(precision, parts, false, true), rows);
    }
  }

  @Test
  void aLargeProduct() {
    SplittableRandom random = new SplittableRandom(6);
    WeightTensor weight = Weights.random(random, DType.Q8_0, 1001, 1536, true);
    for (Precision precision : precisions()) {
      check(random, new Case(precision, List.of(weight), false, false), 1);
      check(random, new Case(precision, List.of(weight), false, false), 97);
    }
  }

  @Test
  void mismatchedShapesAreRefused() {
    Backend backend = backend();
    SplittableRandom random = new SplittableRandom(7);
    Matrix w = backend.matrix(List.of(Weights.random(random, DType.F32, 8, 16, true)));
    assertThat(w.inputs()).isEqualTo(16);
    assertThat(w.outputs()).isEqualTo(8);
    try (Tensor in = backend.tensor(4, 16);
        Tensor out = backend.tensor(4, 8);
        Tensor bias = backend.tensor(1, 8)) {
      backend.linear(w, bias, in, 4, out, false);
      refused(() -> backend.linear(w, bias, in, 5, out, false));
      refused(() -> backend.linear(w, bias, out, 4, out, false));
      refused(() -> backend.linear(w, bias, in, 4, in, false));
      refused(() -> backend.linear(w, in, in, 4, out, false));
    }
    refused(() -> backend.matrix(List.of()));
    refused(() ->
        backend.matrix(
            List.of(
                Weights.random(random, DType.F32, 8, 16, true),
                Weights.random(random, DType.F32, 8, 17, true))));
  }

  private static void refused(Runnable call) {
    assertThatThrownBy(call::run).isInstanceOf(IllegalArgumentException.class);
  }

  private record Case(Precision precision, List<WeightTensor> parts, boolean bias, boolean add) {
    int inputs() {
      return parts.getFirst().columns();
    }

    int outputs() {
      return parts.stream().mapToInt(WeightTensor::rows).sum();
    }

    @Override
    public String toString() {
      return "%s, %s%s%s, %d inputs"
          .formatted(
              precision,
              parts.stream().map(part -> part.type() + " x " + part.rows()).toList(),
              bias ? ", bias" : "",
              add ? ", residual" : "",
              inputs());
    }
  }

  private void check(SplittableRandom random, Case c, int rows) {
    Backend backend = backend(new BackendOptions(0, c.precision));
    float[] in = Numbers.gaussian(random, rows * c.inputs());
    float[] before = Numbers.gaussian(random, (rows + 1) * c.outputs());
    Arrays.fill(before, rows * c.outputs(), before.length, UNTOUCHED);
    float @Nullable [] bias = c.bias ? Numbers.gaussian(random, c.outputs()) : null;
    try (Tensor x = tensor(backend, rows, c.inputs(), in);
        Tensor y = tensor(backend, rows + 1, c.outputs(), before);
        Tensor b = backend.tensor(1, c.outputs())) {
      if (bias != null) {
        b.write(0, bias, 0);
      }
      Matrix w = backend.matrix(c.parts);
      assertThat(w.outputs()).isEqualTo(c.outputs());
      backend.linear(w, bias == null ? null : b, x, rows, y, c.add);
      compare(c, rows, in, bias, before, read(y));
    }
  }

  private static void compare(
      Case c, int rows, float[] in, float @Nullable [] bias, float[] before, float[] actual) {
    int outputs = c.outputs();
    double[] expected = new double[rows * outputs];
    double[] magnitude = new double[rows * outputs]; // sum |w x|
    float[][] weight = rows(c.parts);
    for (int r = 0; r < rows; r++) {
      for (int o = 0; o < outputs; o++) {
        int i = r * outputs + o;
        double start = (bias == null ? 0 : bias[o]) + (c.add ? before[i] : 0);
        expected[i] = start;
        magnitude[i] = Math.abs(start);
        for (int k = 0; k < c.inputs(); k++) {
          double product = (double) weight[o][k] * in[r * c.inputs() + k];
          expected[i] += product;
          magnitude[i] += Math.abs(product);
        }
      }
    }
    String what = "%s, %d rows".formatted(c, rows);
    Tolerance tolerance = Tolerance.of(c.precision, c.inputs());
    for (int i = 0; i < expected.length; i++) {
      if (!(Math.abs(actual[i] - expected[i]) <= tolerance.worst * magnitude[i])) {
        throw new AssertionError(
            "%s: value %d is %s, expected %s".formatted(what, i, actual[i], expected[i]));
      }
    }
    float[] computed = Arrays.copyOf(actual, expected.length);
    if (expected.length >= 256) { // few values have no mean to speak of
      assertThat(Numbers.relativeError(computed, expected)).as(what).isLessThan(tolerance.mean);
    }
    for (int i = expected.length; i < actual.length; i++) {
      assertThat(actual[i]).as("the row after: %s", what).isEqualTo(UNTOUCHED);
    }
  }

  private static float[][] rows(List<WeightTensor> parts) {
    List<float[]> rows = new ArrayList<>();
    for (WeightTensor part : parts) {
      for (int r = 0; r < part.rows(); r++) {
        rows.add(Weights.row(part, r));
      }
    }
    return rows.toArray(float[][]::new);
  }
}
