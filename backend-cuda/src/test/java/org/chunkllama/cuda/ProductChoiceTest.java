package org.chunkllama.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.chunkllama.cuda.driver.CudaException;
import org.chunkllama.cuda.driver.FakeCuda;
import org.chunkllama.spi.Matrix;
import org.chunkllama.spi.RandomWeight;
import org.chunkllama.spi.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** When algorithms are chosen, and what is left if that fails, on a GPU that computes nothing. */
class ProductChoiceTest extends FakeGpuTest {
  private static final int WIDTH = 2048;
  private static final String HEURISTIC = "cublasLtMatmulAlgoGetHeuristic";

  /** Of a product that was chosen and failed later. */
  private static final Set<String> MAY_STAY = Set.of("product", "layout");

  private static Matrix weight(CudaBackend backend, int outputs) {
    return backend.randomMatrix(List.of(RandomWeight.named("w", outputs, WIDTH, 1)));
  }

  @Test
  void neighboursShareAChoice() {
    assertThat(List.of(1, 8, 9, 16, 33, 64, 65, 80, 81, 128, 129, 160, 257, 320, 512))
        .extracting(ProductChoice::roundedUp)
        .containsExactly(8, 8, 16, 16, 40, 64, 80, 80, 96, 128, 160, 160, 320, 320, 512);
  }

  @Test
  void aSizeIsTimedOnce() throws InterruptedException {
    FakeCuda cuda = new FakeCuda();
    try (CudaBackend backend = open(cuda);
        Tensor in = backend.tensor(600, WIDTH);
        Tensor out = backend.tensor(600, WIDTH);
        Tensor few = backend.tensor(600, 64)) {
      Matrix weight = weight(backend, WIDTH);
      backend.linear(weight, null, in, 33, out, false);
      int heuristics = cuda.calls(HEURISTIC);
      int products = cuda.calls("cublasLtMatmul");
      assertThat(products).isGreaterThan(2);
      for (int rows = 34; rows <= 40; rows++) {
        backend.linear(weight, null, in, rows, out, false);
      }
      assertThat(cuda.calls(HEURISTIC)).isEqualTo(heuristics);
      assertThat(cuda.calls("cublasLtMatmul")).isEqualTo(products + 7);
      backend.linear(weight, null, in, 41, out, false);
      assertThat(cuda.calls(HEURISTIC)).isEqualTo(heuristics + 1);
      products = cuda.calls("cublasLtMatmul");
      backend.linear(weight, null, in, 600, out, false);
      backend.linear(weight(backend, 64), null, in, 8, few, false);
      assertThat(cuda.calls("cublasLtMatmul")).as("large, small").isEqualTo(products + 2);
    }
    assertAllIsBack(cuda);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cuMemsetD8Async",
        "cuMemGetInfo_v2",
        "cuStreamBeginCapture_v2",
        "cuStreamEndCapture",
        "cuGraphLaunch",
        "cuEventCreate",
        "cuEventRecord",
        "cuEventSynchronize",
        "cuEventElapsedTime",
        HEURISTIC,
        "cublasLtMatmul"
      })
  void aChoiceThatFailsLeavesNothingBehind(String function) throws InterruptedException {
    FakeCuda cuda = new FakeCuda();
    try (CudaBackend backend = open(cuda);
        Tensor in = backend.tensor(16, WIDTH);
        Tensor out = backend.tensor(16, WIDTH)) {
      Matrix weight = weight(backend, WIDTH);
      backend.linear(weight, null, in, 16, out, false); // twins are made
      for (int failures = 0; ; failures++) {
        cuda.fail(function, failures, FakeCuda.OUT_OF_MEMORY);
        Map<String, Integer> before = cuda.live();
        try {
          backend.linear(weight, null, in, 8, out, false);
          assertThat(cuda.forgetFailure()).isTrue();
          assertThat(failures).isPositive();
          break;
        } catch (CudaException e) {
          Map<String, Integer> after = cuda.live();
          after.keySet().removeAll(MAY_STAY);
          before.keySet().removeAll(MAY_STAY);
          assertThat(after).isEqualTo(before);
        }
      }
    }
    assertAllIsBack(cuda);
  }

  @ParameterizedTest
  @ValueSource(strings = {"cuMemAlloc_v2", "cuGraphInstantiateWithFlags"})
  void withoutRoomTheHeuristicsFirstIsTaken(String function) throws InterruptedException {
    FakeCuda cuda = new FakeCuda();
    try (CudaBackend backend = open(cuda);
        Tensor in = backend.tensor(16, WIDTH);
        Tensor out = backend.tensor(16, WIDTH)) {
      Matrix weight = weight(backend, WIDTH);
      backend.linear(weight, null, in, 16, out, false); // twins are made
      Map<String, Integer> before = cuda.live();
      for (int rows = 1; rows <= 3; rows++) {
        cuda.fail(function, 0, FakeCuda.OUT_OF_MEMORY);
        backend.linear(weight, null, in, rows, out, false);
        assertThat(cuda.forgetFailure()).isFalse();
      }
      assertThat(cuda.live().get("device memory")).isEqualTo(before.get("device memory"));
      int products = cuda.calls("cublasLtMatmul");
      backend.linear(weight, null, in, 4, out, false);
      assertThat(cuda.calls("cublasLtMatmul")).as("timed at last").isGreaterThan(products + 2);
    }
    assertAllIsBack(cuda);
  }

  /** An algorithm may not do for all numbers of rows: the heuristic has the word then. */
  @Test
  void whereAnAlgorithmDoesNotDoTheHeuristicIsAsked() {
    FakeCuda cuda = new FakeCuda();
    try (CudaBackend backend = open(cuda);
        Tensor in = backend.tensor(16, WIDTH);
        Tensor out = backend.tensor(16, WIDTH)) {
      Matrix weight = weight(backend, WIDTH);
      backend.linear(weight, null, in, 16, out, false);
      int heuristics = cuda.calls(HEURISTIC);
      cuda.fail("cublasLtMatmulAlgoCheck", 0, 15);
      backend.linear(weight, null, in, 15, out, false);
      assertThat(cuda.forgetFailure()).isFalse();
      assertThat(cuda.calls(HEURISTIC)).isEqualTo(heuristics + 1);
      cuda.fail(HEURISTIC, 0, 15);
      assertThatThrownBy(() -> backend.linear(weight, null, in, 1, out, false))
          .isInstanceOf(CudaException.class);
    }
  }
}
