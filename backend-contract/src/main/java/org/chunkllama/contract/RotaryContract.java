package org.chunkllama.contract;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.SplittableRandom;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.RotaryTable;
import org.chunkllama.spi.RotaryTable.Layout;
import org.chunkllama.spi.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@link Backend#rotary}: both layouts, part of a head, positions in any order. */
public abstract class RotaryContract extends BackendContract {
  private static final int POSITIONS = 300;

  /** For the test of a backend. */
  protected RotaryContract() {}

  private static RotaryTable table(int rotatedDim, Layout layout) {
    int half = rotatedDim / 2;
    float[] cos = new float[POSITIONS * half];
    float[] sin = new float[POSITIONS * half];
    for (int p = 0; p < POSITIONS; p++) {
      for (int i = 0; i < half; i++) {
        double angle = p * Math.pow(10_000, -2.0 * i / rotatedDim);
        cos[p * half + i] = (float) Math.cos(angle);
        sin[p * half + i] = (float) Math.sin(angle);
      }
    }
    return new RotaryTable(cos, sin, POSITIONS, rotatedDim, layout);
  }

  @ParameterizedTest
  @CsvSource({"2,2", "64,64", "80,80", "96,96", "128,128", "256,256", "96,32", "80,30", "6,6"})
  void rotatesItsHeadsAlone(int headDim, int rotatedDim) {
    for (Layout layout : Layout.values()) {
      for (int rows : new int[] {1, 3, 40}) {
        check(headDim, table(rotatedDim, layout), rows);
      }
    }
  }

  private void check(int headDim, RotaryTable table, int rows) {
    SplittableRandom random = new SplittableRandom(headDim + rows);
    Backend backend = backend();
    int heads = 3;
    int firstColumn = 5;
    int columns = firstColumn + heads * headDim + 3;
    float[] in = Numbers.gaussian(random, (rows + 1) * columns);
    int[] positions = new int[rows + 2]; // longer than needed
    for (int r = 0; r < rows; r++) {
      positions[r] = random.nextInt(POSITIONS);
    }
    double[] expected = new double[in.length];
    for (int i = 0; i < in.length; i++) {
      expected[i] = in[i];
    }
    for (int r = 0; r < rows; r++) {
      for (int head = 0; head < heads; head++) {
        rotate(in, expected, r * columns + firstColumn + head * headDim, table, positions[r]);
      }
    }
    try (Tensor x = tensor(backend, rows + 1, columns, in)) {
      backend.rotary(x, rows, firstColumn, heads, headDim, table, positions);
      Numbers.assertClose(table.layout() + " of " + headDim, read(x), expected, 2e-6);
    }
  }

  private static void rotate(float[] in, double[] out, int at, RotaryTable table, int position) {
    int half = table.rotatedDim() / 2;
    for (int i = 0; i < half; i++) {
      int a = table.layout() == Layout.SPLIT_HALVES ? at + i : at + 2 * i;
      int b = table.layout() == Layout.SPLIT_HALVES ? at + half + i : at + 2 * i + 1;
      double cos = table.cos()[position * half + i];
      double sin = table.sin()[position * half + i];
      out[a] = in[a] * cos - in[b] * sin;
      out[b] = in[a] * sin + in[b] * cos;
    }
  }

  @Test
  void positionsOutsideTheTableAreRefused() {
    Backend backend = backend();
    RotaryTable table = table(64, Layout.SPLIT_HALVES);
    try (Tensor x = backend.tensor(1, 128)) {
      assertThatThrownBy(() -> backend.rotary(x, 1, 0, 2, 64, table, new int[] {POSITIONS}))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> backend.rotary(x, 1, 1, 2, 64, table, new int[] {0}))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
