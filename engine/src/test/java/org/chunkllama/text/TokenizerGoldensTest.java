package org.chunkllama.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.chunkllama.SharedAssets;
import org.junit.jupiter.api.Test;

/** Ids equal to those of the models' own tokenizers, texts equal after a round trip. */
class TokenizerGoldensTest {
  private static final String FOLDER = "tokenizers/";

  @Test
  void llamaSpmFromGguf() {
    check(gguf("golden/ggml-vocab-llama-spm.gguf"), "llama-spm");
  }

  @Test
  void llamaSpmFromTokenizerJson() {
    check(json("tinyllama-1.1b/tokenizer.json"), "llama-spm");
  }

  @Test
  void llamaBpeFromTokenizerJson() {
    check(json("llama3.1/tokenizer.json"), "llama-bpe");
  }

  @Test
  void qwen2FromTokenizerJson() {
    check(json("qwen3/tokenizer.json"), "qwen2");
  }

  @Test
  void gpt2FromGguf() {
    check(gguf("golden/ggml-vocab-gpt-2.gguf"), "gpt-2");
  }

  private static TokenizerSpec gguf(String name) {
    return new GgufMetadata(SharedAssets.require(FOLDER + name)).tokenizer();
  }

  private static TokenizerSpec json(String name) {
    return new TokenizerSpec.HuggingFace(SharedAssets.require(FOLDER + name), null, -1, List.of());
  }

  private static void check(TokenizerSpec spec, String goldens) {
    List<String> texts = TextAssets.texts(goldens);
    List<int[]> ids = TextAssets.ids(goldens);
    assertThat(texts).hasSize(47);
    assertThat(ids).hasSize(47);
    try (Tokenizer tokenizer = Tokenizers.of(spec)) {
      for (int i = 0; i < texts.size(); i++) {
        for (boolean parseSpecial : new boolean[] {true, false}) {
          assertThat(tokenizer.encode(texts.get(i), false, parseSpecial))
              .as("text %s: %s", i, texts.get(i))
              .isEqualTo(ids.get(i));
        }
        assertThat(tokenizer.decode(ids.get(i))).isEqualTo(texts.get(i));
      }
    }
  }
}
