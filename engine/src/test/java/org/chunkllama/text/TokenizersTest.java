package org.chunkllama.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.chunkllama.SharedAssets;
import org.chunkllama.error.ModelFileException;
import org.chunkllama.error.UnsupportedModelException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizersTest {
  private static final int BEGIN = 259;
  private static final int END = 260;
  private static final int TOOL = 261;

  @TempDir Path folder;

  @Test
  void controlTokensInTextAreReadOnlyWhereAsked() {
    try (Tokenizer tokenizer = Tokenizers.of(SmallVocabulary.byteLevel("gpt-2", false, false))) {
      assertThat(tokenizer.encode("<|end|>hell<tool>", false, true))
          .containsExactly(END, 258, TOOL);
      int[] plain = tokenizer.encode("<|end|>hell<tool>", false, false);
      assertThat(plain).doesNotContain(END).endsWith(258, TOOL); // a user's token is no control
      assertThat(tokenizer.decode(plain)).isEqualTo("<|end|>hell<tool>");
      assertThat(tokenizer.decode(new int[] {BEGIN, 258, END})).isEqualTo("hell");
    }
  }

  @Test
  void bosAndEosGoAroundTheText() {
    try (Tokenizer both = Tokenizers.of(SmallVocabulary.byteLevel("gpt-2", true, true))) {
      assertThat(both.encode("he", true, false)).containsExactly(BEGIN, 256, END);
      assertThat(both.encode("he", false, false)).containsExactly(256);
      assertThat(both.encode("", true, true)).containsExactly(BEGIN, END);
    }
    try (Tokenizer piece = Tokenizers.of(SmallVocabulary.sentencePiece(true))) {
      int[] ids = piece.encode("he", true, false);
      assertThat(ids).startsWith(1);
      assertThat(piece.decode(ids)).isEqualTo("he");
    }
  }

  @Test
  void sentencePieceMarksParseAndUnusedPiecesComeApart() {
    try (Tokenizer tokenizer = Tokenizers.of(SmallVocabulary.sentencePiece(true))) {
      assertThat(spelled(tokenizer, tokenizer.encode("hello", false, false)))
          .containsExactly("▁", "he", "ll", "o");
      assertThat(spelled(tokenizer, tokenizer.encode("<s>hello<tool>a", false, true)))
          .containsExactly("<s>", "▁", "he", "ll", "o", "<tool>", "▁", "a");
      assertThat(spelled(tokenizer, tokenizer.encode("<s>", false, false)))
          .containsExactly("▁", "<", "s", ">");
      assertThat(spelled(tokenizer, tokenizer.encode("aaa", false, false)))
          .containsExactly("▁", "aa", "a"); // the leftmost of equals
      assertThat(tokenizer.encode("", false, false)).isEmpty();
    }
  }

  @Test
  void withoutBytesUnknownCharactersAreOneUnknownToken() {
    try (Tokenizer tokenizer = Tokenizers.of(SmallVocabulary.sentencePiece(false))) {
      assertThat(spelled(tokenizer, tokenizer.encode("hzzeé", false, false)))
          .containsExactly("▁", "h", "<unk>", "e", "<unk>");
    }
  }

  @Test
  void unpairedSurrogatesAndOddIdsDoNoHarm() {
    try (Tokenizer tokenizer = Tokenizers.of(SmallVocabulary.byteLevel("gpt-2", false, false))) {
      int[] ids = tokenizer.encode("a\ud800b\udc00😀\0", false, false);
      assertThat(tokenizer.decode(ids)).isEqualTo("a\uFFFDb\uFFFD😀\0");
      assertThat(tokenizer.decode(new int[] {-5, 256, 1 << 30})).isEqualTo("he");
      assertThat(tokenizer.bytes(99_999)).isEmpty();
      assertThatThrownBy(() -> tokenizer.token(99_999))
          .isInstanceOf(IndexOutOfBoundsException.class);
    }
  }

  @Test
  void longTextsAreNotCut() {
    try (Tokenizer tokenizer = Tokenizers.of(SmallVocabulary.byteLevel("gpt-2", false, false))) {
      assertThat(tokenizer.encode("hell ".repeat(5000), false, false)).hasSize(10_000);
    }
  }

  /** The default way, its name in files that state none. */
  @Test
  void aFileWithoutPreTokenizerGetsTheDefault() {
    try (Tokenizer none = Tokenizers.of(SmallVocabulary.byteLevel(null, false, false));
        Tokenizer named = Tokenizers.of(SmallVocabulary.byteLevel("default", false, false))) {
      String text = "hell 12345 !!x";
      assertThat(none.encode(text, false, false)).isEqualTo(named.encode(text, false, false));
    }
  }

  /** llama-bpe and qwen2 from a vocabulary as GGUF has it equal tokenizer.json's goldens. */
  @Test
  void preTokenizersEqualTheModelsOwn() throws IOException {
    checkPre("llama3.1", "llama-bpe", "llama-bpe");
    checkPre("qwen3", "qwen2", "qwen2");
  }

  private static void checkPre(String model, String pre, String goldens) throws IOException {
    TokenizerSpec spec =
        JsonVocabulary.read(SharedAssets.require("tokenizers/" + model + "/tokenizer.json"), pre);
    try (Tokenizer tokenizer = Tokenizers.of(spec)) {
      List<String> texts = TextAssets.texts(goldens);
      List<int[]> ids = TextAssets.ids(goldens);
      for (int i = 0; i < texts.size(); i++) {
        assertThat(tokenizer.encode(texts.get(i), false, false)).isEqualTo(ids.get(i));
      }
    }
  }

  @Test
  void configDecidesOverBosOfTokenizerJson() {
    Path json = SharedAssets.require("tokenizers/tinyllama-1.1b/tokenizer.json");
    try (Tokenizer own = Tokenizers.of(new TokenizerSpec.HuggingFace(json, null, 1, List.of(2)));
        Tokenizer without =
            Tokenizers.of(new TokenizerSpec.HuggingFace(json, false, 1, List.of(2)))) {
      int[] bare = without.encode("hi", true, false);
      assertThat(bare).isEqualTo(own.encode("hi", false, false)).doesNotContain(1);
      assertThat(own.encode("hi", true, false)).startsWith(1).hasSize(bare.length + 1);
      assertThat(own.encode("</s>", false, true)).containsExactly(2);
      assertThat(own.encode("</s>", false, false)).doesNotContain(2);
      assertThat(own.addsSpacePrefix()).isTrue();
    }
  }

  @Test
  void idsOfPlainTextStayWhereControlTokensAreTakenOut() {
    Path json = SharedAssets.require("tokenizers/qwen3/tokenizer.json");
    try (Tokenizer qwen = Tokenizers.of(new TokenizerSpec.HuggingFace(json, null, -1, List.of()))) {
      int think = qwen.id("<think>");
      assertThat(think).isEqualTo(151667);
      assertThat(qwen.encode("<think><|im_end|>", false, true)).containsExactly(think, 151645);
      assertThat(qwen.encode("<think><|im_end|>", false, false))
          .startsWith(think)
          .doesNotContain(151645);
    }
  }

  @Test
  void manyThreadsEncodeAndOneCloses() throws Exception {
    Tokenizer tokenizer = Tokenizers.of(SmallVocabulary.byteLevel("gpt-2", false, false));
    int[] expected = tokenizer.encode("hell is other ".repeat(50), false, false);
    try (var threads = Executors.newFixedThreadPool(4)) {
      var results = new ArrayList<Future<Boolean>>();
      for (int i = 0; i < 200; i++) {
        boolean parse = i % 2 == 0;
        results.add(
            threads.submit(() ->
                Arrays.equals(
                    expected, tokenizer.encode("hell is other ".repeat(50), false, parse))));
      }
      for (Future<Boolean> result : results) {
        assertThat(result.get()).isTrue();
      }
    }
    tokenizer.close();
    tokenizer.close();
    assertThatThrownBy(() -> tokenizer.encode("x", false, false))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
  }

  @Test
  void whatIsNotSupportedIsNamed() {
    assertThatThrownBy(() -> Tokenizers.of(SmallVocabulary.byteLevel("klingon", false, false)))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("'klingon'")
        .hasMessageContaining("llama-bpe");
    TokenizerSpec.Gguf spec = SmallVocabulary.sentencePiece(true);
    assertThatThrownBy(() -> Tokenizers.of(BrokenSpecs.withModel(spec, "t5")))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("'t5'");
    assertThatThrownBy(() -> of("{\"model\": {\"type\": \"Unigram\", \"vocab\": []}}"))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("Unigram");
    assertThatThrownBy(
            () -> of("{\"decoder\": {\"type\": \"WordPiece\"}, \"model\": {\"type\": \"BPE\"}}"))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("WordPiece");
  }

  @Test
  void brokenFilesAreNamed() {
    assertThatThrownBy(() -> of("{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\""))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("broken");
    assertThatThrownBy(() -> of("[]")).isInstanceOf(ModelFileException.class);
    assertThatThrownBy(() -> of("{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": -7}}}"))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("-7");
    assertThatThrownBy(() -> of("{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 1}}}"))
        .isInstanceOf(ModelFileException.class) // refused by the library: merges are missing
        .hasMessageContaining("download");
    assertThatThrownBy(() ->
            Tokenizers.of(
                new TokenizerSpec.HuggingFace(folder.resolve("none.json"), null, -1, List.of())))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("none.json");

    TokenizerSpec.Gguf pieces = SmallVocabulary.sentencePiece(true);
    assertThatThrownBy(() -> Tokenizers.of(BrokenSpecs.withScores(pieces, new float[3])))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("scores");
    assertThatThrownBy(() -> Tokenizers.of(BrokenSpecs.withTokens(pieces, List.of())))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("no tokens");
    assertThatThrownBy(() -> Tokenizers.of(BrokenSpecs.withBos(pieces, 70_000)))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("70000");
    TokenizerSpec.Gguf bytes = SmallVocabulary.byteLevel("gpt-2", false, false);
    assertThatThrownBy(() -> Tokenizers.of(BrokenSpecs.withMerges(bytes, List.of("nospace"))))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("nospace");
    assertThatThrownBy(() -> Tokenizers.of(BrokenSpecs.withMerges(bytes, List.of("zz yy"))))
        .isInstanceOf(ModelFileException.class);
  }

  private Tokenizer of(String json) throws IOException {
    Path file = Files.writeString(folder.resolve("tokenizer.json"), json);
    return Tokenizers.of(new TokenizerSpec.HuggingFace(file, null, -1, List.of()));
  }

  private static List<String> spelled(Tokenizer tokenizer, int[] ids) {
    var tokens = new ArrayList<String>();
    for (int id : ids) {
      tokens.add(tokenizer.token(id));
    }
    return tokens;
  }
}
