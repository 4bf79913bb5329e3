package org.chunkllama.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.chunkllama.cuda.driver.FakeCuda;
import org.chunkllama.spi.Matrix;
import org.chunkllama.spi.RandomWeight;
import org.chunkllama.spi.Tensor;
import org.junit.jupiter.api.Test;

/** When tensors are converted to 16 bits and back, on a GPU that computes nothing. */
class TwinsTest extends FakeGpuTest {
  private static final int WIDTH = 64;

  @Test
  void rowsAreConvertedOnceAndBackOnlyIfTheyAreRead() {
    FakeCuda cuda = new FakeCuda();
    try (CudaBackend backend = open(cuda);
        Tensor x = backend.tensor(8, WIDTH);
        Tensor y = backend.tensor(8, WIDTH);
        Tensor norm = backend.tensor(1, WIDTH)) {
      Matrix weight = backend.randomMatrix(List.of(RandomWeight.named("w", WIDTH, WIDTH, 1)));
      float[] row = new float[WIDTH];
      Runnable product = () -> backend.linear(weight, null, x, 6, y, false);
      assertThat(launches(cuda, product)).as("to 16 bits").isEqualTo(1);
      assertThat(launches(cuda, product)).isZero();
      assertThat(launches(cuda, () -> backend.linear(weight, null, x, 8, y, false)))
          .as("two more rows")
          .isEqualTo(1);
      assertThat(launches(cuda, () -> backend.rmsNorm(y, 8, norm, 1e-5f, x))).isEqualTo(1);
      assertThat(launches(cuda, product)).as("the norm left 16 bits").isZero();
      assertThat(launches(cuda, () -> backend.rmsNorm(y, 2, norm, 1e-5f, x)))
          .as("the norm of fewer rows, the others stay in 16 bits")
          .isEqualTo(1);
      assertThat(launches(cuda, product)).isZero();
      assertThat(launches(cuda, () -> x.read(0, row, 0))).as("back").isEqualTo(1);
      assertThat(launches(cuda, () -> x.read(7, row, 0))).isZero();
      assertThat(launches(cuda, product)).as("both are current").isZero();
      assertThat(launches(cuda, () -> x.write(0, row, 0))).isZero();
      assertThat(launches(cuda, product)).as("to 16 bits again").isEqualTo(1);
    }
  }

  private static int launches(FakeCuda cuda, Runnable operation) {
    int before = cuda.calls("cuLaunchKernelEx");
    operation.run();
    return cuda.calls("cuLaunchKernelEx") - before;
  }
}
