package org.chunkllama.text;

import java.util.List;
import java.util.Map;
import org.chunkllama.error.UnsupportedModelException;
import org.jspecify.annotations.Nullable;

/**
 * How text is cut into words before byte-level BPE merges inside each: regular expressions applied
 * in turn, each match and each gap a word. A GGUF file names the way; the expressions are those of
 * the models' own tokenizer.json.
 *
 * @param expressions applied in turn, in the syntax of Hugging Face's tokenizers
 * @param nfc whether the text is first normalized to Unicode NFC
 * @param ignoreMerges whether a word that is in the vocabulary is one token whatever the merges say
 */
record PreTokenizers(List<String> expressions, boolean nfc, boolean ignoreMerges) {
  private static final System.Logger LOG = System.getLogger(PreTokenizers.class.getName());

  private static final String CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|";
  private static final String TAIL =
      " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  private static final String WORD = "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|";
  private static final String GPT2_EXPRESSION =
      "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
  private static final String UPPER = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
  private static final String LOWER = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
  private static final String OTHER = "[^\\r\\n\\p{L}\\p{N}]?";

  private static final PreTokenizers GPT2 =
      new PreTokenizers(List.of(GPT2_EXPRESSION), false, false);
  private static final PreTokenizers LLAMA3 =
      new PreTokenizers(List.of(CONTRACTIONS + WORD + "\\p{N}{1,3}|" + TAIL), false, true);
  private static final PreTokenizers QWEN2 =
      new PreTokenizers(List.of(CONTRACTIONS + WORD + "\\p{N}|" + TAIL), true, false);
  private static final PreTokenizers SMOLLM =
      new PreTokenizers(List.of("\\p{N}", GPT2_EXPRESSION), false, false);
  private static final PreTokenizers TEKKEN =
      new PreTokenizers(
          List.of(
              (OTHER + UPPER + "*" + LOWER + "+|")
                  + (OTHER + UPPER + "+" + LOWER + "*|")
                  + "\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"),
          false,
          true);
  private static final PreTokenizers DEFAULT =
      new PreTokenizers(
          List.of("[\\p{P}\\$\\+<=>\\^~\\|]+", GPT2_EXPRESSION, "\\p{N}+", "[0-9][0-9][0-9]"),
          false,
          false);

  private static final Map<String, PreTokenizers> BY_NAME =
      Map.ofEntries(
          Map.entry("default", DEFAULT),
          Map.entry("gpt-2", GPT2),
          Map.entry("gpt2", GPT2),
          Map.entry("llama-bpe", LLAMA3),
          Map.entry("llama3", LLAMA3),
          Map.entry("llama-v3", LLAMA3),
          Map.entry("smaug-bpe", LLAMA3),
          Map.entry("qwen2", QWEN2),
          Map.entry("deepseek-r1-qwen", QWEN2),
          Map.entry("smollm", SMOLLM),
          Map.entry("starcoder", SMOLLM),
          Map.entry("refact", SMOLLM),
          Map.entry("command-r", SMOLLM),
          Map.entry("tekken", TEKKEN));

  /**
   * The way that {@code pre} names. Old files name none: they get the default one, and a log line,
   * as in llama.cpp.
   *
   * @throws UnsupportedModelException for a name that is not known
   */
  static PreTokenizers of(@Nullable String pre) {
    if (pre == null) {
      LOG.log(
          System.Logger.Level.WARNING,
          "the model file names no pre-tokenizer (tokenizer.ggml.pre): taking the default one;"
              + " answers may be worse, convert the model again to be sure");
      return DEFAULT;
    }
    PreTokenizers known = BY_NAME.get(pre);
    if (known == null) {
      throw new UnsupportedModelException(
          "pre-tokenizer '"
              + pre
              + "' is not supported (known: "
              + String.join(", ", BY_NAME.keySet().stream().sorted().toList())
              + "); use the model's Hugging Face folder instead of a GGUF file");
    }
    return known;
  }
}
