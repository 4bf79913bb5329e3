package org.chunkllama.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import org.chunkllama.DefaultModel;
import org.chunkllama.SharedAssets;
import org.chunkllama.files.ModelFile;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

/** Ids equal to those that tools/goldens/token_ids.py had from transformers and sentencepiece. */
class TokenIdsTest {
  private record Golden(String text, int[] ids, int @Nullable [] special) {}

  @Test
  void smolLm2AsTransformers() throws IOException {
    try (ModelFile model = ModelFile.open(DefaultModel.require());
        Tokenizer tokenizer = Tokenizers.of(model.tokenizer())) {
      for (Golden golden : goldens("smollm2.json")) {
        assertThat(tokenizer.encode(golden.text(), false, false))
            .as(golden.text())
            .isEqualTo(golden.ids());
        assertThat(tokenizer.encode(golden.text(), false, true))
            .as(golden.text())
            .isEqualTo(golden.special());
        assertThat(tokenizer.decode(golden.ids())).isEqualTo(golden.text());
      }
      assertThat(tokenizer.token(tokenizer.eosIds().getFirst())).isEqualTo("<|im_end|>");
      assertThat(tokenizer.isSpecial(tokenizer.id("<|im_start|>"))).isTrue();
    }
  }

  /** Random runs of few characters among them, where merges tie. */
  @Test
  void llama2AsSentencePiece() throws IOException {
    var file = SharedAssets.require("tokenizers/golden/ggml-vocab-llama-spm.gguf");
    try (Tokenizer tokenizer = Tokenizers.of(new GgufMetadata(file).tokenizer())) {
      for (Golden golden : goldens("llama2-spm.json")) {
        assertThat(tokenizer.encode(golden.text(), false, false))
            .as(golden.text())
            .isEqualTo(golden.ids());
        assertThat(tokenizer.decode(golden.ids())).isEqualTo(golden.text().replace('▁', ' '));
      }
    }
  }

  private static List<Golden> goldens(String name) throws IOException {
    try (InputStream in = TokenIdsTest.class.getResourceAsStream("tokenizers/" + name)) {
      Golden[] goldens = new JsonMapper().readValue(in, Golden[].class);
      assertThat(goldens).hasSizeGreaterThan(150);
      return List.of(goldens);
    }
  }
}
