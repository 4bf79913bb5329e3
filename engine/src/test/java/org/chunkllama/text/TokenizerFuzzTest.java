package org.chunkllama.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.chunkllama.error.ChunkLlamaException;

/** Any text comes back from its ids, plain or with markers read; any file loads or is refused. */
class TokenizerFuzzTest {
  private static final List<Tokenizer> TOKENIZERS =
      List.of(
          Tokenizers.of(SmallVocabulary.byteLevel("llama-bpe", false, false)),
          Tokenizers.of(SmallVocabulary.byteLevel("smollm", true, true)),
          Tokenizers.of(SmallVocabulary.sentencePiece(true)));

  @FuzzTest(maxDuration = "60s")
  void textComesBack(FuzzedDataProvider data) {
    Tokenizer tokenizer = data.pickValue(TOKENIZERS);
    boolean addSpecial = data.consumeBoolean();
    String text = data.consumeRemainingAsString();
    int[] ids = tokenizer.encode(text, addSpecial, false);
    assertThat(tokenizer.decode(ids)).isEqualTo(expected(tokenizer, text));
    assertThat(incremental(tokenizer, ids)).isEqualTo(tokenizer.decode(ids));
    int[] parsed = tokenizer.encode(text, addSpecial, true);
    assertThat(incremental(tokenizer, parsed)).isEqualTo(tokenizer.decode(parsed));
    for (int id : parsed) {
      assertThat(id).isBetween(0, tokenizer.vocabularySize() - 1);
    }
  }

  @FuzzTest(maxDuration = "60s")
  void anyTokenizerJsonLoadsOrIsRefused(FuzzedDataProvider data) throws IOException {
    Path file = Files.createTempFile("fuzz", "tokenizer.json");
    try {
      Files.write(file, data.consumeRemainingAsBytes());
      Tokenizers.of(new TokenizerSpec.HuggingFace(file, null, -1, List.of())).close();
    } catch (ChunkLlamaException e) {
      assertThat(e.getMessage()).isNotBlank();
    } finally {
      Files.delete(file);
    }
  }

  /** SentencePiece's space mark is a space, and a user's token has a space put after it. */
  private static String expected(Tokenizer tokenizer, String text) {
    String wellFormed =
        text.codePoints()
            .map(c -> c >= 0xD800 && c < 0xE000 ? 0xFFFD : c)
            .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
            .toString();
    if (!tokenizer.addsSpacePrefix()) {
      return wellFormed;
    }
    String spaced = wellFormed.replaceAll("(?s)<tool>(?=.)(?!<tool>)", "<tool> ");
    return spaced.replace('▁', ' ');
  }

  private static String incremental(Tokenizer tokenizer, int[] ids) {
    var detokenizer = new IncrementalDetokenizer(tokenizer);
    var text = new StringBuilder();
    for (int id : ids) {
      text.append(detokenizer.append(id));
    }
    return text.append(detokenizer.finish()).toString();
  }
}
