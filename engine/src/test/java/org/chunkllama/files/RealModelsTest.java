package org.chunkllama.files;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.chunkllama.DefaultModel;
import org.chunkllama.SharedAssets;
import org.chunkllama.model.ModelConfig;
import org.chunkllama.model.RopeScaling;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.Dequantizer;
import org.chunkllama.spi.RotaryTable;
import org.chunkllama.spi.WeightTensor;
import org.chunkllama.text.TokenizerSpec;
import org.junit.jupiter.api.Test;

/** Files that other programs wrote. */
class RealModelsTest {
  private static final String STORIES = "models/stories260K/tinyllamas-stories-260k-";

  private static final ModelConfig STORIES_CONFIG =
      new ModelConfig(
          "llama",
          5,
          64,
          8,
          4,
          8,
          172,
          512,
          512,
          1e-5f,
          10_000,
          8,
          new RopeScaling.None(),
          RotaryTable.Layout.INTERLEAVED_PAIRS,
          false,
          false,
          false,
          false);

  @Test
  void opensGgufVersion1() {
    try (ModelFile file = ModelFile.open(SharedAssets.require(STORIES + "f32.gguf"))) {
      assertThat(file.config()).isEqualTo(STORIES_CONFIG);
      assertThat(file.name()).isEqualTo("tinyllamas-stories-260k");
      assertThat(file.tensors()).hasSize(48);
      assertThat(file.chatTemplate()).isEmpty();
      TokenizerSpec.Gguf tokenizer = (TokenizerSpec.Gguf) file.tokenizer();
      assertThat(tokenizer.model()).isEqualTo("llama");
      assertThat(tokenizer.tokens()).hasSize(512).startsWith("<unk>", "<s>", "</s>", "<0x00>");
      assertThat(tokenizer.scores()).hasSize(512);
      assertThat(tokenizer.types()).hasSize(512).startsWith(2, 3, 3, 6);
      assertThat(tokenizer.bosId()).isEqualTo(1);
      assertThat(tokenizer.eosIds()).containsExactly(2);
      assertThat(tokenizer.addBos()).isTrue();
      assertThat(tokenizer.addEos()).isFalse();
      assertThat(tokenizer.addSpacePrefix()).isTrue();
    }
  }

  @Test
  void opensGgufVersion2WithBlocksAcrossRows() {
    List<String> notes = new ArrayList<>();
    try (ModelFile plain = ModelFile.open(SharedAssets.require(STORIES + "f32.gguf"));
        ModelFile packed =
            ModelFile.open(SharedAssets.require(STORIES + "q8_0.gguf"), new NoteTaker(notes))) {
      assertThat(packed.config()).isEqualTo(plain.config());
      assertThat(weight(packed, "blk.0.attn_q.weight").type()).isEqualTo(DType.Q8_0);
      assertThat(weight(packed, "blk.0.ffn_down.weight").type()).isEqualTo(DType.F32);
      assertThat(notes).singleElement().asString().contains("expanded to F32, 215 KiB");
      for (TensorInfo tensor : plain.tensors()) {
        assertClose(weight(plain, tensor.name()), weight(packed, tensor.name()));
      }
    }
  }

  @Test
  void opensTheDefaultModel() {
    try (ModelFile file = ModelFile.open(DefaultModel.require())) {
      ModelConfig config = file.config();
      assertThat(config.layers()).isEqualTo(30);
      assertThat(config.hidden()).isEqualTo(576);
      assertThat(config.heads()).isEqualTo(9);
      assertThat(config.kvHeads()).isEqualTo(3);
      assertThat(config.headDim()).isEqualTo(64);
      assertThat(config.context()).isEqualTo(8192);
      assertThat(config.ropeTheta()).isEqualTo(100_000);
      assertThat(config.tiedEmbedding()).isTrue();
      Map<DType, Long> types =
          file.tensors().stream()
              .collect(Collectors.groupingBy(TensorInfo::type, Collectors.counting()));
      assertThat(types).isEqualTo(Map.of(DType.Q4_1, 210L, DType.F32, 61L, DType.Q8_0, 1L));
      assertThat(weight(file, "token_embd.weight").type()).isEqualTo(DType.Q8_0);
      assertThat(file.chatTemplate()).isPresent();
      TokenizerSpec.Gguf tokenizer = (TokenizerSpec.Gguf) file.tokenizer();
      assertThat(tokenizer.tokens()).hasSize(49_152);
      assertThat(tokenizer.pre()).isEqualTo("smollm");
      assertThat(tokenizer.bosId()).isEqualTo(1);
      assertThat(tokenizer.eosIds()).startsWith(2);
      assertThat(tokenizer.addBos()).isFalse();
    }
  }

  private static void assertClose(WeightTensor plain, WeightTensor packed) {
    assertThat(packed.rows()).isEqualTo(plain.rows());
    assertThat(packed.columns()).isEqualTo(plain.columns());
    float[] expected = values(plain);
    float[] actual = values(packed);
    float largest = 0;
    for (float value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    for (int i = 0; i < expected.length; i++) {
      assertThat(Math.abs(actual[i] - expected[i]))
          .as("%s[%d]", plain.name(), i)
          .isLessThanOrEqualTo(largest / 127 * 0.55f); // half a step and the scale's rounding
    }
  }

  private static float[] values(WeightTensor weight) {
    float[] values = new float[weight.rows() * weight.columns()];
    for (int row = 0; row < weight.rows(); row++) {
      Dequantizer.row(weight, row, values, row * weight.columns());
    }
    return values;
  }

  private static WeightTensor weight(ModelFile file, String name) {
    return file.find(name).orElseThrow();
  }

  /** Keeps notes. */
  record NoteTaker(List<String> notes) implements Progress {
    @Override
    public void begin(String what, long total, Unit unit) {}

    @Override
    public void advance(long done) {}

    @Override
    public void end() {}

    @Override
    public void note(String message) {
      notes.add(message);
    }
  }
}
