package org.chunkllama.files;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.chunkllama.model.ModelConfig;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.Dequantizer;
import org.chunkllama.spi.RotaryTable;
import org.chunkllama.spi.WeightTensor;
import org.chunkllama.text.TokenizerSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What is written is what is read, in both formats. */
class RandomModelTest {
  @TempDir Path folder;

  static Stream<ModelConfig> configs() {
    return Stream.of(RandomModel.llama(), RandomModel.qwen2(), RandomModel.qwen3());
  }

  @ParameterizedTest
  @MethodSource("configs")
  void bothFormatsHoldTheSameModel(ModelConfig config) throws IOException {
    RandomModel model = new RandomModel(config, 7);
    try (ModelFile gguf = ModelFile.open(model.writeGguf(folder.resolve("m.gguf")));
        ModelFile hf = ModelFile.open(model.writeHuggingFace(folder.resolve("hf")))) {
      assertThat(hf.config()).isEqualTo(config);
      boolean llama = config.architecture().equals("llama");
      assertThat(gguf.config()).isEqualTo(llama ? interleaved(config) : config);
      assertThat(gguf.chatTemplate()).contains(TestVocabulary.CHAT_TEMPLATE);
      assertThat(hf.chatTemplate()).contains(TestVocabulary.CHAT_TEMPLATE);
      assertThat(gguf.tensors()).hasSameSizeAs(hf.tensors());
      for (TensorInfo tensor : gguf.tensors()) {
        assertThat(hf.tensors().stream().filter(t -> t.name().equals(tensor.name())).findAny())
            .hasValueSatisfying(t -> assertThat(t.shape()).isEqualTo(tensor.shape()));
        if (llama && tensor.name().matches("blk.*attn_[qk].*")) {
          assertRowsReordered(hf, gguf, tensor.name(), config.headDim());
        } else {
          assertThat(values(gguf, tensor.name())).isEqualTo(values(hf, tensor.name()));
        }
      }
    }
  }

  private static ModelConfig interleaved(ModelConfig c) {
    return new ModelConfig(
        c.architecture(),
        c.layers(),
        c.hidden(),
        c.heads(),
        c.kvHeads(),
        c.headDim(),
        c.feedForward(),
        c.vocabulary(),
        c.context(),
        c.normEpsilon(),
        c.ropeTheta(),
        c.ropeDim(),
        c.ropeScaling(),
        RotaryTable.Layout.INTERLEAVED_PAIRS,
        c.qkvBias(),
        c.outputBias(),
        c.qkNorm(),
        c.tiedEmbedding());
  }

  private static void assertRowsReordered(ModelFile hf, ModelFile gguf, String name, int dim) {
    WeightTensor split = hf.find(name).orElseThrow();
    WeightTensor pairs = gguf.find(name).orElseThrow();
    float[] expected = new float[split.columns()];
    float[] actual = new float[split.columns()];
    for (int head = 0; head < split.rows() / dim; head++) {
      for (int pair = 0; pair < dim / 2; pair++) {
        for (int side = 0; side < 2; side++) {
          Dequantizer.row(split, head * dim + side * dim / 2 + pair, expected, 0);
          Dequantizer.row(pairs, head * dim + 2 * pair + side, actual, 0);
          assertThat(actual).isEqualTo(expected);
        }
      }
    }
  }

  @Test
  void shardsHoldTheSameModelAsOneFile() throws IOException {
    RandomModel model = new RandomModel(RandomModel.llama(), 3);
    try (ModelFile one = ModelFile.open(model.writeHuggingFace(folder.resolve("one")));
        ModelFile three =
            ModelFile.open(model.writeHuggingFace(folder.resolve("three"), DType.F32, 3))) {
      assertThat(three.config()).isEqualTo(one.config());
      for (TensorInfo tensor : one.tensors()) {
        assertThat(values(three, tensor.name())).isEqualTo(values(one, tensor.name()));
      }
    }
  }

  @Test
  void tokenizersOfBothFormatsNameTheSameIds() throws IOException {
    RandomModel model = new RandomModel(RandomModel.qwen2(), 5);
    try (ModelFile gguf = ModelFile.open(model.writeGguf(folder.resolve("m.gguf")));
        ModelFile hf = ModelFile.open(model.writeHuggingFace(folder.resolve("hf")))) {
      TokenizerSpec.Gguf spec = (TokenizerSpec.Gguf) gguf.tokenizer();
      assertThat(spec.tokens()).hasSize(320).doesNotHaveDuplicates();
      assertThat(spec.bosId()).isEqualTo(1);
      assertThat(spec.eosIds()).isEqualTo(List.of(2, 0));
      assertThat(spec.addBos()).isFalse();
      TokenizerSpec.HuggingFace other = (TokenizerSpec.HuggingFace) hf.tokenizer();
      assertThat(other.bosId()).isEqualTo(1);
      assertThat(other.eosIds()).isEqualTo(List.of(2, 0));
      assertThat(other.addBos()).isNull();
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      mode = EnumSource.Mode.EXCLUDE,
      names = {"F8", "I8"}) // of keys and values alone
  void quantisedValuesReadBackClose(DType type) throws IOException {
    ModelConfig base = RandomModel.llama();
    ModelConfig wide = // rows of 256 fill every type's blocks
        new ModelConfig(
            "llama",
            1,
            256,
            4,
            2,
            64,
            256,
            300,
            64,
            1e-5f,
            10_000,
            64,
            base.ropeScaling(),
            RotaryTable.Layout.INTERLEAVED_PAIRS,
            false,
            false,
            false,
            true);
    RandomModel model = new RandomModel(wide, 9);
    double steps =
        switch (type) {
          case F32 -> Double.POSITIVE_INFINITY;
          case F16 -> 2048;
          case BF16 -> 256;
          case Q8_0 -> 250;
          case Q6_K -> 60;
          case Q5_K -> 30;
          case Q4_1, Q4_K -> 15;
          case Q4_0 -> 13;
          case F8, I8 -> throw new IllegalArgumentException(type.toString());
        };
    try (ModelFile plain = ModelFile.open(model.writeGguf(folder.resolve("plain.gguf")));
        ModelFile small = ModelFile.open(model.writeGguf(folder.resolve("small.gguf"), type))) {
      assertThat(small.find("blk.0.ffn_up.weight").orElseThrow().type()).isEqualTo(type);
      float[] expected = values(plain, "blk.0.ffn_up.weight");
      float[] actual = values(small, "blk.0.ffn_up.weight");
      double range = 0;
      for (float value : expected) {
        range = Math.max(range, 2 * Math.abs(value));
      }
      for (int i = 0; i < expected.length; i++) {
        assertThat((double) Math.abs(actual[i] - expected[i]))
            .isLessThanOrEqualTo(range / steps * 0.55);
      }
    }
  }

  @Test
  void sameSeedSameBytes() {
    ModelConfig config = RandomModel.qwen3();
    byte[] first = new RandomModel(config, 1).gguf(DType.F32).bytes();
    assertThat(new RandomModel(config, 1).gguf(DType.F32).bytes()).isEqualTo(first);
    assertThat(new RandomModel(config, new Random(2).nextLong()).gguf(DType.F32).bytes())
        .isNotEqualTo(first);
  }

  private static float[] values(ModelFile file, String name) {
    WeightTensor weight = file.find(name).orElseThrow();
    float[] values = new float[weight.rows() * weight.columns()];
    for (int row = 0; row < weight.rows(); row++) {
      Dequantizer.row(weight, row, values, row * weight.columns());
    }
    return values;
  }
}
