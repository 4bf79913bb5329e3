package org.chunkllama.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;
import org.chunkllama.cuda.driver.CudaException;
import org.chunkllama.cuda.driver.FakeCuda;
import org.chunkllama.cuda.driver.OutOfDeviceMemoryException;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.plan.AttentionPlanner;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.Matrix;
import org.chunkllama.spi.RandomWeight;
import org.chunkllama.spi.RotaryTable;
import org.chunkllama.spi.StepInputs;
import org.chunkllama.spi.Tensor;
import org.chunkllama.spi.TunableAttention;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What is left when a call of NVIDIA's libraries fails, whichever it is: on a GPU that computes
 * nothing but counts what it handed out.
 */
class FaultPathsTest extends FakeGpuTest {
  private static final int CHUNK = 16;

  @Test
  void everythingIsGivenBack() throws InterruptedException {
    FakeCuda cuda = new FakeCuda();
    try (Decoding decoding = new Decoding(open(cuda))) {
      for (int step = 0; step < 20; step++) {
        decoding.step(1 + step % 3);
      }
      assertThat(cuda.live()).containsKeys("executable graph", "product", "pinned memory");
    }
    assertAllIsBack(cuda);
  }

  @Test
  void closingTwiceIsClosingOnce() throws InterruptedException {
    FakeCuda cuda = new FakeCuda();
    CudaBackend backend = open(cuda);
    backend.close();
    backend.close();
    assertAllIsBack(cuda);
  }

  @ParameterizedTest
  @CsvSource({
    "cuDevicePrimaryCtxRetain, 1",
    "cuCtxSetCurrent, 1",
    "cuStreamCreate, 1",
    "cuMemAlloc_v2, 4",
    "cuMemHostAlloc, 1",
    "cuEventCreate, 5",
    "cuModuleLoadData, 4",
    "cuModuleGetFunction, 9",
    "cublasLtCreate, 1"
  })
  void anOpeningThatFailsLeavesNothing(String function, int least) throws InterruptedException {
    int failures = 0;
    boolean failed = true;
    while (failed) {
      FakeCuda cuda = new FakeCuda();
      cuda.fail(function, failures, FakeCuda.OUT_OF_MEMORY);
      try (CudaBackend backend = open(cuda)) {
        assertThat(backend.name()).isEqualTo("cuda");
        failed = false;
      } catch (CudaException e) {
        assertThat(e).hasMessageNotContaining("\n");
        failures++;
      }
      assertAllIsBack(cuda);
    }
    assertThat(failures).isGreaterThanOrEqualTo(least);
  }

  @Test
  void aKernelThatDoesNotCompileEndsTheOpening() throws InterruptedException {
    FakeCuda cuda = new FakeCuda();
    cuda.fail("nvrtcCompileProgram", 0, 6);
    assertThatThrownBy(() -> open(cuda))
        .isInstanceOf(CudaException.class)
        .hasMessageContaining("does not compile with NVRTC 13.0");
    assertAllIsBack(cuda);
  }

  /** One failure at every call of these that three numbers of rows make in turn, twice each. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "cuMemAlloc_v2",
        "cuMemHostAlloc",
        "cuMemsetD8Async",
        "cuMemcpyHtoDAsync_v2",
        "cuLaunchKernelEx",
        "cuModuleLoadData",
        "cuStreamBeginCapture_v2",
        "cuStreamEndCapture",
        "cuGraphInstantiateWithFlags",
        "cuGraphLaunch",
        "cuEventRecord",
        "cuEventCreate",
        "cuEventSynchronize",
        "cuMemcpyDtoHAsync_v2",
        "cuModuleGetFunction",
        "cuModuleGetGlobal_v2",
        "cuMemcpyDtoH_v2",
        "cuFuncSetAttribute",
        "cublasLtMatmulDescCreate",
        "cublasLtMatmulPreferenceCreate",
        "cublasLtMatmulDescSetAttribute",
        "cublasLtMatrixLayoutCreate",
        "cublasLtMatmulPreferenceSetAttribute",
        "cublasLtMatmulAlgoGetHeuristic",
        "cublasLtMatmul"
      })
  void aStepThatFailsLeavesTheNextOneWhole(String function) throws InterruptedException {
    SplittableRandom random = new SplittableRandom(function.hashCode());
    int failures = 0;
    boolean more = true;
    while (more) {
      FakeCuda cuda = new FakeCuda();
      Map<String, Integer> whole = Map.of();
      try (Decoding decoding = new Decoding(open(cuda))) {
        cuda.fail(function, failures, FakeCuda.OUT_OF_MEMORY);
        for (int step = 0; step < 12; step++) {
          int rows = 1 + 3 * (step % 2);
          try {
            decoding.step(rows);
          } catch (CudaException e) {
            assertThat(e instanceof OutOfDeviceMemoryException)
                .isEqualTo(function.equals("cuMemAlloc_v2"));
            int same = rows;
            assertThatCode(() -> decoding.step(same))
                .as("after failure %d", failures)
                .doesNotThrowAnyException();
          }
        }
        more = !cuda.forgetFailure();
        whole = cuda.live();
      }
      assertThat(whole).isNotEmpty();
      assertAllIsBack(cuda);
      failures += more ? 1 + (failures > 40 ? random.nextInt(20) : 0) : 0;
    }
    assertThat(failures).isPositive();
  }

  /** What is kept of other numbers of rows is given up first. */
  @Test
  void aStepWithoutRoomForItsGraphRunsAsItIs() throws InterruptedException {
    FakeCuda cuda = new FakeCuda();
    try (Decoding decoding = new Decoding(open(cuda))) {
      steps(decoding, 3, 2);
      assertThat(cuda.live()).containsEntry("executable graph", 1);
      decoding.step(4);
      cuda.fail("cuGraphInstantiateWithFlags", 0, FakeCuda.OUT_OF_MEMORY);
      decoding.step(4);
      assertThat(cuda.forgetFailure()).isFalse();
      assertThat(cuda.live()).doesNotContainKey("executable graph");
      cuda.fail("cuGraphInstantiateWithFlags", 0, FakeCuda.OUT_OF_MEMORY);
      decoding.step(4);
      assertThat(cuda.forgetFailure()).isFalse();
      int captures = cuda.calls("cuStreamBeginCapture_v2");
      steps(decoding, 4, 3);
      assertThat(cuda.calls("cuStreamBeginCapture_v2")).as("not tried again").isEqualTo(captures);
      steps(decoding, 3, 2);
      assertThat(cuda.live()).containsEntry("executable graph", 1);
    }
    assertAllIsBack(cuda);
  }

  private static void steps(Decoding decoding, int rows, int count) {
    for (int step = 0; step < count; step++) {
      decoding.step(rows);
    }
  }

  /** A tensor whose queries were read in one type and find no room in another. */
  @Test
  void queriesThatFindNoRoomAreMadeAnew() throws InterruptedException {
    FakeCuda cuda = new FakeCuda();
    try (CudaBackend backend = open(cuda);
        KvCache half = backend.kvCache(new KvLayout(1, 2, 64, CHUNK, DType.F16), 8);
        KvCache bfloat = backend.kvCache(new KvLayout(1, 2, 64, CHUNK, DType.BF16), 8);
        Tensor qkv = backend.tensor(4, 8 * 64);
        Tensor other = backend.tensor(4, 8 * 64);
        Tensor out = backend.tensor(4, 4 * 64)) {
      AttentionPlanner planner = new AttentionPlanner(CHUNK, 1, 4, 2, true);
      planner.begin();
      planner.add(new int[] {1, 2}, 20, 1);
      AttentionPlan plan = planner.finish();
      RotaryTable table =
          new RotaryTable(
              new float[32 * 32], new float[32 * 32], 32, 64, RotaryTable.Layout.SPLIT_HALVES);
      backend.attention(bfloat, 0, other, 4, 1, plan, out);
      backend.attention(half, 0, qkv, 4, 1, plan, out);
      cuda.fail("cuMemAlloc_v2", 0, FakeCuda.OUT_OF_MEMORY);
      assertThatThrownBy(() -> backend.attention(bfloat, 0, qkv, 4, 1, plan, out))
          .isInstanceOf(OutOfDeviceMemoryException.class);
      backend.rotary(qkv, 1, 0, 4, 64, table, new int[] {20});
      backend.attention(bfloat, 0, qkv, 4, 1, plan, out);
    }
    assertAllIsBack(cuda);
  }

  /** Outside a step arrays may have changed, also after one that did not begin. */
  @Test
  void aStepThatIsRefusedLeavesNoArraysBehind() throws InterruptedException {
    FakeCuda cuda = new FakeCuda();
    try (CudaBackend backend = open(cuda);
        KvCache cache = backend.kvCache(new KvLayout(1, 2, 64, CHUNK, DType.F16), 8);
        Tensor out = backend.tensor(1, 64)) {
      Matrix table = backend.randomMatrix(List.of(RandomWeight.named("table", 300, 64, 1)));
      AttentionPlanner planner = new AttentionPlanner(CHUNK, 1, 4, 2, true);
      planner.begin();
      planner.add(new int[] {1, 2}, 20, 1);
      AttentionPlan plan = planner.finish();
      int[] tokens = {7};
      StepInputs inputs = new StepInputs(tokens, new int[] {-1}, new int[1], 1, plan);
      assertThatThrownBy(() -> backend.step("owner", cache, inputs, () -> {}))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("position -1");
      int copies = cuda.calls("cuMemcpyHtoDAsync_v2");
      tokens[0] = 8;
      backend.embed(table, tokens, 1, out);
      assertThat(cuda.calls("cuMemcpyHtoDAsync_v2")).isEqualTo(copies + 1);
    }
    assertAllIsBack(cuda);
  }

  @Test
  void settingsMayChangeBetweenSteps() throws InterruptedException {
    FakeCuda cuda = new FakeCuda();
    try (Decoding decoding = new Decoding(open(cuda))) {
      KvLayout layout = decoding.cache.layout();
      CudaBackend backend = decoding.backend;
      for (int i = 0; i < 3; i++) {
        for (int step = 0; step < 4; step++) {
          decoding.step(2);
        }
        List<Double> values =
            backend.settings(layout, Decoding.CONFIG.heads()).stream()
                .map(TunableAttention.Setting::value)
                .toList();
        backend.set(layout, Decoding.CONFIG.heads(), values);
      }
    }
    assertAllIsBack(cuda);
  }

  /** Whatever cannot be given back, all else is. */
  @ParameterizedTest
  @CsvSource({
    "cuMemFree_v2, device memory",
    "cuMemFreeHost, pinned memory",
    "cuEventDestroy_v2, event",
    "cuGraphExecDestroy, executable graph",
    "cuModuleUnload, module",
    "cublasLtMatmulDescDestroy, product",
    "cublasLtMatrixLayoutDestroy, layout"
  })
  void aReleaseThatFailsKeepsNothingElse(String function, String kind) throws InterruptedException {
    int failures = 0;
    for (boolean more = true; more; ) {
      FakeCuda cuda = new FakeCuda();
      Decoding decoding = new Decoding(open(cuda));
      for (int step = 0; step < 12; step++) {
        decoding.step(1 + step % 3);
      }
      cuda.fail(function, failures, FakeCuda.LAUNCH_FAILED);
      try {
        decoding.backend.close();
        assertThat(cuda.forgetFailure()).isTrue();
        more = false;
      } catch (CudaException e) {
        assertThat(e).hasMessageContaining(function).hasNoSuppressedExceptions();
        failures++;
      }
      awaitCompilers();
      assertThat(cuda.live()).isEqualTo(more ? Map.of(kind, 1) : Map.of());
    }
    assertThat(failures).isPositive();
  }

  @Test
  void whatWasClosedIsRefused() {
    FakeCuda cuda = new FakeCuda();
    CudaBackend backend = open(cuda);
    Tensor tensor = backend.tensor(2, 64);
    Matrix table = backend.randomMatrix(List.of(RandomWeight.named("table", 300, 64, 1)));
    backend.close();
    assertThatThrownBy(() -> tensor.write(0, new float[64], 0))
        .hasMessage("the pinned memory was given back");
    assertThatThrownBy(() -> tensor.read(0, new float[64], 0)).hasMessageContaining("memory was");
    assertThatThrownBy(() -> backend.embed(table, new int[] {1}, 1, tensor))
        .hasMessage("the pinned memory was given back");
    assertThat(cuda.misuse()).isNull();
  }

  @Test
  void whatATrapTookIsClosedByAnotherThread() throws InterruptedException {
    FakeCuda cuda = new FakeCuda();
    Decoding decoding = new Decoding(open(cuda));
    decoding.step(2);
    cuda.trap();
    assertThat(decoding.backend.lost()).isPresent();
    AtomicReference<Throwable> failure = new AtomicReference<>();
    Thread other =
        Thread.ofPlatform()
            .uncaughtExceptionHandler((_, e) -> failure.set(e))
            .start(decoding::close);
    other.join();
    assertThat(failure.get()).isNull();
  }

  @Test
  void aTrapIsSaidOnceAndEndsTheBackend() {
    FakeCuda cuda = new FakeCuda();
    Decoding decoding = new Decoding(open(cuda));
    decoding.step(2);
    cuda.trap();
    assertThatThrownBy(() -> decoding.step(2)).isInstanceOf(CudaException.class);
    assertThat(decoding.backend.lost())
        .hasValueSatisfying(why -> assertThat(why).contains("cuStreamSynchronize failed"));
    assertThatCode(decoding::close).doesNotThrowAnyException();
  }

  @Test
  void aTrapThatNobodySawIsSaidWhenAllIsClosed() {
    FakeCuda cuda = new FakeCuda();
    CudaBackend backend = open(cuda);
    cuda.trap();
    assertThatThrownBy(backend::close)
        .isInstanceOf(CudaException.class)
        .hasMessageContaining("cuStreamSynchronize failed")
        .hasNoSuppressedExceptions();
    assertThatCode(backend::close).doesNotThrowAnyException();
  }
}
