package org.chunkllama.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.SplittableRandom;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@link Backend#rmsNorm} and {@link Backend#headNorm}. */
public abstract class NormContract extends BackendContract {
  private static final float EPSILON = 1e-5f;

  /** For the test of a backend. */
  protected NormContract() {}

  /** Writes the norm of {@code in[at, at + n)} to the same place of {@code out}. */
  private static void norm(float[] in, int at, float[] weight, double[] out) {
    double squares = 0;
    for (int i = 0; i < weight.length; i++) {
      squares += (double) in[at + i] * in[at + i];
    }
    double root = Math.sqrt(squares / weight.length + EPSILON);
    for (int i = 0; i < weight.length; i++) {
      out[at + i] = in[at + i] / root * weight[i];
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 13, 16, 63, 64, 65, 576, 2048, 4097})
  void rmsNormOfEveryWidth(int columns) {
    SplittableRandom random = new SplittableRandom(columns);
    for (int rows : new int[] {1, 2, 33}) {
      for (float size : new float[] {1e-12f, 1e-3f, 1, 1e5f}) {
        checkRmsNorm(random, rows, columns, size);
      }
    }
  }

  private void checkRmsNorm(SplittableRandom random, int rows, int columns, float size) {
    Backend backend = backend();
    float[] in = Numbers.gaussian(random, rows * columns);
    for (int i = 0; i < in.length; i++) {
      in[i] *= size;
    }
    float[] weight = Numbers.gaussian(random, columns);
    double[] expected = new double[in.length];
    for (int r = 0; r < rows; r++) {
      norm(in, r * columns, weight, expected);
    }
    try (Tensor x = tensor(backend, rows, columns, in);
        Tensor w = tensor(backend, 1, columns, weight);
        Tensor y = backend.tensor(rows, columns)) {
      backend.rmsNorm(x, rows, w, EPSILON, y);
      String what = "%d x %d of size %s".formatted(rows, columns, size);
      float[] actual = read(y);
      for (int i = 0; i < in.length; i++) {
        if (!(Math.abs(actual[i] - expected[i]) <= 4e-6 * Math.abs(expected[i]) + 1e-30)) {
          throw new AssertionError(
              "%s: value %d is %s, expected %s".formatted(what, i, actual[i], expected[i]));
        }
      }
      assertThat(read(x)).as("the input").isEqualTo(in);
    }
  }

  @Test
  void aRowOfZerosStaysZero() {
    Backend backend = backend();
    try (Tensor x = backend.tensor(2, 48);
        Tensor w = tensor(backend, 1, 48, Numbers.filled(48, 1));
        Tensor y = tensor(backend, 2, 48, Numbers.filled(96, Float.NaN))) {
      backend.rmsNorm(x, 2, w, EPSILON, y);
      assertThat(read(y)).containsOnly(0);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 64, 80, 96, 128, 256})
  void headNormChangesOnlyItsHeads(int headDim) {
    SplittableRandom random = new SplittableRandom(headDim);
    Backend backend = backend();
    int rows = 5;
    int heads = 3;
    int firstColumn = 7;
    int columns = firstColumn + heads * headDim + 4;
    float[] in = Numbers.gaussian(random, (rows + 1) * columns);
    float[] weight = Numbers.gaussian(random, headDim);
    double[] expected = new double[in.length];
    for (int i = 0; i < in.length; i++) {
      expected[i] = in[i];
    }
    for (int r = 0; r < rows; r++) {
      for (int head = 0; head < heads; head++) {
        norm(in, r * columns + firstColumn + head * headDim, weight, expected);
      }
    }
    try (Tensor x = tensor(backend, rows + 1, columns, in);
        Tensor w = tensor(backend, 1, headDim, weight)) {
      backend.headNorm(x, rows, firstColumn, heads, w, EPSILON);
      Numbers.assertClose("head norm", read(x), expected, 2e-5);
    }
  }

  @Test
  void mismatchedShapesAreRefused() {
    Backend backend = backend();
    try (Tensor x = backend.tensor(2, 48);
        Tensor w = backend.tensor(1, 47);
        Tensor y = backend.tensor(2, 48)) {
      assertThatThrownBy(() -> backend.rmsNorm(x, 2, w, EPSILON, y))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> backend.rmsNorm(x, 3, x, EPSILON, y))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> backend.rmsNorm(x, 1, y, EPSILON, x))
          .as("onto itself")
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> backend.headNorm(x, 2, 2, 1, w, EPSILON))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
