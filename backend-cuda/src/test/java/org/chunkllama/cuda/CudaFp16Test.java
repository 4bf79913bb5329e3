package org.chunkllama.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.stream.IntStream;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.model.LlamaModel;
import org.chunkllama.model.ModelConfig;
import org.chunkllama.model.RopeScaling;
import org.chunkllama.model.StepPlan;
import org.chunkllama.plan.AttentionPlanner;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.BackendOptions.Precision;
import org.chunkllama.spi.Backends;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.spi.Matrix;
import org.chunkllama.spi.RotaryTable;
import org.chunkllama.spi.WeightTensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Products in fp16, and random weights made on the GPU. */
class CudaFp16Test {
  private static final ModelConfig CONFIG =
      new ModelConfig(
          "llama",
          4,
          256,
          8,
          2,
          64,
          500,
          1000,
          512,
          1e-5f,
          10_000,
          64,
          new RopeScaling.None(),
          RotaryTable.Layout.SPLIT_HALVES,
          true,
          false,
          true,
          false);
  private static final int TOKENS = 150;

  @BeforeAll
  static void needsAGpu() {
    Gpu.require();
  }

  private static WeightTensor weight(String name, float last) {
    MemorySegment data = Arena.ofAuto().allocate(64 * 4, 4);
    for (int i = 0; i < 64; i++) {
      data.setAtIndex(ValueLayout.JAVA_FLOAT, i, i == 63 ? last : i);
    }
    return new WeightTensor(name, DType.F32, 4, 16, data);
  }

  @Test
  void aWeightBeyondTheRangeOfFp16IsNamed() {
    List<WeightTensor> parts = List.of(weight("small", 65504), weight("large", -65520));
    try (Backend backend = Gpu.open(new BackendOptions(0, Precision.FP16))) {
      assertThatThrownBy(() -> backend.matrix(parts))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessage(
              "weight large has values beyond 65504, which fp16 cannot hold: take --precision bf16");
      Matrix sound = backend.matrix(List.of(parts.getFirst()));
      assertThat(sound.outputs()).isEqualTo(4);
      assertThatThrownBy(() -> backend.matrix(List.of(weight("nan", Float.NaN))))
          .hasMessageContaining("nan");
    }
    try (Backend backend = Gpu.open(new BackendOptions(0, Precision.BF16))) {
      assertThat(backend.matrix(parts).outputs()).isEqualTo(8);
    }
  }

  private static float[] logits(Backend backend, DType kv) {
    KvLayout layout = new KvLayout(CONFIG.layers(), CONFIG.kvHeads(), CONFIG.headDim(), 32, kv);
    int[] tokens = IntStream.range(0, TOKENS).map(i -> (i * 7919 + 13) % 1000).toArray();
    int[] path = IntStream.range(0, 5).toArray();
    AttentionPlanner planner =
        new AttentionPlanner(
            32,
            backend.parallelism(),
            CONFIG.heads(),
            CONFIG.kvHeads(),
            true,
            backend.planCosts(layout, CONFIG.heads()));
    float[] logits = new float[CONFIG.vocabulary()];
    try (backend;
        LlamaModel model = LlamaModel.random(backend, CONFIG, 3, TOKENS, 512, (_, _) -> {});
        KvCache cache = backend.kvCache(layout, 5)) {
      planner.begin();
      planner.add(path, 0, TOKENS);
      var plan = planner.finish();
      int[] outputs = {TOKENS - 1};
      model
          .forward(new StepPlan(tokens, plan.rowPosition, outputs, 1, plan), cache)
          .read(0, logits, 0);
    }
    return logits;
  }

  private static double error(float[] actual, float[] expected) {
    double difference = 0;
    double size = 0;
    for (int i = 0; i < expected.length; i++) {
      difference += Math.pow(actual[i] - expected[i], 2);
      size += Math.pow(expected[i], 2);
    }
    return Math.sqrt(difference / size);
  }

  @Test
  void logitsOfARandomModelAgree() {
    float[] reference = logits(Backends.open("reference", BackendOptions.defaults()), DType.F32);
    float[] exact = logits(Gpu.open(new BackendOptions(0, Precision.FP32)), DType.F32);
    float[] fp16 = logits(Gpu.open(new BackendOptions(0, Precision.FP16)), DType.F16);
    float[] bf16 = logits(Gpu.open(new BackendOptions(0, Precision.BF16)), DType.BF16);
    System.out.printf(
        "relative error of logits: fp32 %.2e, fp16 %.2e, bf16 %.2e%n",
        error(exact, reference), error(fp16, reference), error(bf16, reference));
    assertThat(error(exact, reference)).isLessThan(1e-5);
    assertThat(error(fp16, reference)).isLessThan(5e-3);
    assertThat(error(bf16, reference)).isLessThan(4e-2);
    assertThat(error(fp16, reference)).isLessThan(error(bf16, reference));
  }
}
