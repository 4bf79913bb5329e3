package org.chunkllama.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.SplittableRandom;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@link Backend#siluGate}. */
public abstract class ActivationContract extends BackendContract {
  /** For the test of a backend. */
  protected ActivationContract() {}

  private static double silu(double x) {
    return x / (1 + Math.exp(-x));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 13, 16, 63, 64, 65, 207, 1536})
  void everyWidth(int columns) {
    SplittableRandom random = new SplittableRandom(columns);
    for (int rows : new int[] {1, 3, 40}) {
      float[] gateUp = Numbers.gaussian(random, rows * 2 * columns);
      for (int i = 0; i < gateUp.length; i++) {
        gateUp[i] *= 6;
      }
      check(rows, columns, gateUp);
    }
  }

  @Test
  void extremeGatesGiveNoNaN() {
    float[] gates = {
      0, -0.0f, 1e-30f, -1e-30f, 20, -20, 88, -88, 104, -104, 1e4f, -1e4f, 1e30f, -1e30f
    };
    float[] gateUp = new float[2 * gates.length];
    System.arraycopy(gates, 0, gateUp, 0, gates.length);
    java.util.Arrays.fill(gateUp, gates.length, gateUp.length, 1.5f);
    check(1, gates.length, gateUp);
  }

  private void check(int rows, int columns, float[] gateUp) {
    Backend backend = backend();
    try (Tensor in = tensor(backend, rows, 2 * columns, gateUp);
        Tensor out = backend.tensor(rows + 1, columns)) {
      out.write(rows, Numbers.filled(columns, 7), 0);
      backend.siluGate(in, rows, out);
      float[] actual = read(out);
      for (int r = 0; r < rows; r++) {
        for (int j = 0; j < columns; j++) {
          float gate = gateUp[r * 2 * columns + j];
          float up = gateUp[r * 2 * columns + columns + j];
          double expected = silu(gate) * up;
          assertThat((double) actual[r * columns + j])
              .as("silu(%s) * %s", gate, up)
              .isBetween(
                  expected - 4e-6 * Math.abs(expected) - 1e-30,
                  expected + 4e-6 * Math.abs(expected) + 1e-30);
        }
      }
      assertThat(actual[rows * columns]).as("the row after").isEqualTo(7);
    }
  }

  @Test
  void mismatchedShapesAreRefused() {
    Backend backend = backend();
    try (Tensor in = backend.tensor(2, 48);
        Tensor out = backend.tensor(2, 25)) {
      assertThatThrownBy(() -> backend.siluGate(in, 2, out))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
