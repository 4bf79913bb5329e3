package org.chunkllama.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.Matrix;
import org.chunkllama.spi.Tensor;
import org.chunkllama.spi.WeightTensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whole rows: tensors, {@link Backend#embed}, {@link Backend#gather}, {@link Backend#argmax}, and
 * what a backend says of itself.
 */
public abstract class RowsContract extends BackendContract {
  /** For the test of a backend. */
  protected RowsContract() {}

  @Test
  void saysWhatItIs() {
    assertThat(backend().name()).isNotBlank();
    assertThat(backend().description()).isNotBlank().doesNotContain("\n");
    assertThat(backend().parallelism()).isPositive();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 13, 16, 63, 64, 65, 207})
  void tensorsBeginAtZeroAndKeepWhatIsWritten(int columns) {
    Backend backend = backend();
    try (Tensor tensor = backend.tensor(5, columns)) {
      assertThat(tensor.rows()).isEqualTo(5);
      assertThat(tensor.columns()).isEqualTo(columns);
      assertThat(read(tensor)).containsOnly(0);
      float[] values = Numbers.gaussian(new SplittableRandom(1), columns + 3);
      tensor.write(3, values, 3);
      float[] back = Numbers.filled(columns + 2, -1);
      tensor.read(3, back, 2);
      assertThat(back).startsWith(-1, -1).endsWith(Arrays.copyOfRange(values, 3, values.length));
      tensor.read(4, back, 2);
      assertThat(Arrays.copyOfRange(back, 2, back.length)).containsOnly(0);
    }
  }

  @Test
  void rowsOutsideATensorAreRefused() {
    try (Tensor tensor = backend().tensor(2, 3)) {
      float[] row = new float[3];
      assertThatThrownBy(() -> tensor.write(2, row, 0)).isInstanceOf(RuntimeException.class);
      assertThatThrownBy(() -> tensor.read(-1, row, 0)).isInstanceOf(RuntimeException.class);
      assertThatThrownBy(() -> tensor.read(0, row, 1)).isInstanceOf(RuntimeException.class);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      mode = EnumSource.Mode.EXCLUDE,
      names = {"F8", "I8"}) // of keys and values alone
  void embedReadsRowsOfEveryType(DType type) {
    Backend backend = backend();
    SplittableRandom random = new SplittableRandom(type.blockBytes());
    for (int columns : new int[] {type.blockValues(), 3 * type.blockValues()}) {
      WeightTensor weight = Weights.random(random, type, 50, columns, columns == 3);
      Matrix table = backend.matrix(List.of(weight));
      int[] tokens = {49, 0, 7, 7, 1, 1000};
      try (Tensor out = backend.tensor(6, columns)) {
        backend.embed(table, tokens, 5, out);
        float[] row = new float[columns];
        for (int i = 0; i < 5; i++) {
          out.read(i, row, 0);
          float[] expected = Weights.row(weight, tokens[i]);
          for (int j = 0; j < columns; j++) {
            assertThat(row[j]).as("token %d", tokens[i]).isEqualTo(expected[j]);
          }
        }
        out.read(5, row, 0);
        assertThat(row).as("the row after").containsOnly(0);
        assertThatThrownBy(() -> backend.embed(table, tokens, 6, out))
            .as("token id outside the table")
            .isInstanceOf(IllegalArgumentException.class);
      }
    }
  }

  @Test
  void aTableIsAlsoAnOutputLayer() {
    Backend backend = backend();
    SplittableRandom random = new SplittableRandom(9);
    WeightTensor weight = Weights.random(random, DType.Q8_0, 300, 64, true);
    Matrix table = backend.matrix(List.of(weight));
    try (Tensor row = backend.tensor(1, 64);
        Tensor logits = backend.tensor(1, 300)) {
      backend.embed(table, new int[] {123}, 1, row);
      backend.linear(table, null, row, 1, logits, false);
      float[] expected = Weights.row(weight, 123);
      double[] products = new double[300];
      for (int o = 0; o < 300; o++) {
        float[] other = Weights.row(weight, o);
        for (int k = 0; k < 64; k++) {
          products[o] += (double) expected[k] * other[k];
        }
      }
      assertThat(Numbers.relativeError(read(logits), products)).isLessThan(3e-6);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 15, 64, 100})
  void gatherTakesRowsInAnyOrder(int columns) {
    Backend backend = backend();
    float[] values = Numbers.gaussian(new SplittableRandom(columns), 9 * columns);
    int[] rows = {8, 0, 3, 3, -1};
    try (Tensor in = tensor(backend, 9, columns, values);
        Tensor out = backend.tensor(5, columns)) {
      backend.gather(in, rows, 4, out);
      float[] actual = read(out);
      for (int i = 0; i < 4; i++) {
        assertThat(Arrays.copyOfRange(actual, i * columns, (i + 1) * columns))
            .isEqualTo(Arrays.copyOfRange(values, rows[i] * columns, (rows[i] + 1) * columns));
      }
      assertThat(Arrays.copyOfRange(actual, 4 * columns, actual.length)).containsOnly(0);
      assertThatThrownBy(() -> backend.gather(in, rows, 5, out))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 16, 31, 64, 1000, 49152})
  void argmaxTakesTheFirstOfEquals(int columns) {
    Backend backend = backend();
    SplittableRandom random = new SplittableRandom(columns);
    int rows = 9;
    float[] values = new float[rows * columns];
    int[] expected = new int[rows];
    for (int r = 0; r < rows; r++) {
      for (int j = 0; j < columns; j++) {
        // Few different values, so that there are equals; all negative in every other row.
        values[r * columns + j] = random.nextInt(1 + columns / 3) - (r % 2 == 0 ? columns : 0);
        if (values[r * columns + j] > values[r * columns + expected[r]]) {
          expected[r] = j;
        }
      }
    }
    try (Tensor in = tensor(backend, rows, columns, values)) {
      int[] actual = new int[rows + 1];
      actual[rows] = -7;
      backend.argmax(in, rows, actual);
      assertThat(Arrays.copyOf(actual, rows)).isEqualTo(expected);
      assertThat(actual[rows]).isEqualTo(-7);
    }
  }

  @Test
  void argmaxOfManyRows() {
    Backend backend = backend();
    int rows = 300;
    float[] values = new float[rows * 50];
    for (int r = 0; r < rows; r++) {
      values[r * 50 + r % 50] = 1;
    }
    try (Tensor in = tensor(backend, rows, 50, values)) {
      int[] actual = new int[rows];
      backend.argmax(in, rows, actual);
      for (int r = 0; r < rows; r++) {
        assertThat(actual[r]).isEqualTo(r % 50);
      }
    }
  }

  @Test
  void argmaxOfInfinities() {
    Backend backend = backend();
    float[] values = Numbers.filled(3 * 40, Float.NEGATIVE_INFINITY);
    values[40 + 39] = -3e38f; // everything else in that row is masked
    values[80 + 17] = Float.POSITIVE_INFINITY;
    try (Tensor in = tensor(backend, 3, 40, values)) {
      int[] actual = new int[3];
      backend.argmax(in, 3, actual);
      assertThat(actual).containsExactly(0, 39, 17);
    }
  }
}
