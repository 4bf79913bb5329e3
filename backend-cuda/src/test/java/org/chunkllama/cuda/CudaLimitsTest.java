package org.chunkllama.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.IntStream;
import org.chunkllama.cuda.driver.FakeCuda;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.plan.AttentionPlan;
import org.chunkllama.plan.AttentionPlanner;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Shapes at the edge of what is taken, on a GPU that computes nothing. */
class CudaLimitsTest extends FakeGpuTest {
  @ParameterizedTest
  @CsvSource({"100,F16", "72,BF16", "8,F32", "100,F8", "128,F16"})
  void whatIsPlannedForAPoolIsWhatItTakes(int headDim, DType type) {
    KvLayout layout = new KvLayout(3, 2, headDim, 64, type);
    try (CudaBackend backend = open(new FakeCuda());
        CudaKvCache cache = (CudaKvCache) backend.kvCache(layout, 5)) {
      assertThat(cache.memory().bytes()).isEqualTo(5 * backend.kvBytesPerChunk(layout));
    }
  }

  @Test
  void headsThatAreTooWideAreRefusedBeforeAnythingIsLoaded() {
    KvLayout layout = new KvLayout(1, 2, 288, 64, DType.F16);
    try (CudaBackend backend = open(new FakeCuda())) {
      assertThatThrownBy(() -> backend.announce(layout, 4))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("heads of up to 256 values, this model's have 288");
    }
  }

  @Test
  void aPlanOfMillionsOfChunksIsSentInParts() throws Exception {
    int rows = 1024;
    int chunksEach = 4096;
    KvLayout layout = new KvLayout(1, 1, 64, 16, DType.F16);
    AttentionPlanner planner = new AttentionPlanner(16, 1, 1, 1, false);
    planner.begin();
    int[] path = IntStream.range(0, chunksEach).toArray();
    for (int row = 0; row < rows; row++) {
      planner.add(path, 16 * chunksEach - 1, 1);
    }
    AttentionPlan plan = planner.finish();
    FakeCuda cuda = new FakeCuda();
    try (CudaBackend backend = open(cuda);
        CudaKvCache cache = (CudaKvCache) backend.kvCache(layout, chunksEach);
        Tensor qkv = backend.tensor(rows, 3 * 64);
        Tensor out = backend.tensor(rows, 64)) {
      backend.attention(cache, 0, qkv, 1, 0.125f, plan, out);
      assertThat(cuda.misuse()).isNull();
    }
    assertAllIsBack(cuda);
  }
}
