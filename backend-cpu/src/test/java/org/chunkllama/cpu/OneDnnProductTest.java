package org.chunkllama.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.SplittableRandom;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.spi.BackendOptions.Precision;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.WeightTensor;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** What the contract does not see: workers that run one compiled product at the same time. */
class OneDnnProductTest {
  private static final int OUTPUTS = 100;
  private static final int INPUTS = 576;
  private static final int ROWS = 64;
  private static final int REPEATS = 2000;

  @Test
  void workersThatShareAProductDoNotDisturbEachOther() {
    int threads = 4;
    ProductChoice choice = bf16(threads);
    Workers workers = new Workers(threads);
    LinearLayers layers = new LinearLayers(workers, choice);
    try (CpuTensor in = new CpuTensor(ROWS, INPUTS);
        CpuTensor out = new CpuTensor(ROWS, OUTPUTS)) {
      float[] values = gaussian(ROWS * INPUTS);
      for (int r = 0; r < ROWS; r++) {
        in.write(r, values, r * INPUTS);
      }
      CpuMatrix matrix = layers.matrix(List.of(weight()));
      layers.multiply(matrix, null, in, ROWS, out, false);
      byte[] first = out.segment().toArray(ValueLayout.JAVA_BYTE);
      for (int i = 0; i < REPEATS; i++) {
        out.segment().fill((byte) 0);
        layers.multiply(matrix, null, in, ROWS, out, i % 2 == 1);
        assertThat(out.segment().mismatch(MemorySegment.ofArray(first)))
            .as("repeat %d", i)
            .isEqualTo(-1);
      }
    } finally {
      workers.close();
      layers.close();
    }
  }

  private static ProductChoice bf16(int threads) {
    try {
      return ProductChoice.of(Precision.BF16, threads);
    } catch (InvalidRequestException refused) {
      return Assumptions.abort("refused: " + refused.getMessage());
    }
  }

  private static WeightTensor weight() {
    MemorySegment data = Arena.ofAuto().allocate(4L * OUTPUTS * INPUTS, 64);
    MemorySegment.copy(
        MemorySegment.ofArray(gaussian(OUTPUTS * INPUTS)), 0, data, 0, data.byteSize());
    return new WeightTensor("random", DType.F32, OUTPUTS, INPUTS, data);
  }

  private static float[] gaussian(int count) {
    SplittableRandom random = new SplittableRandom(count);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}
