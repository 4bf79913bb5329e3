package org.chunkllama.files;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.chunkllama.error.ModelFileException;
import org.chunkllama.error.UnsupportedModelException;
import org.chunkllama.text.TokenizerSpec;

/** Tokenizer and chat templates from GGUF's {@code tokenizer.*} keys, with llama.cpp's defaults. */
final class GgufTokenizer {
  private static final String PREFIX = "tokenizer.ggml.";
  private static final int CONTROL = 3;

  /** Pre-tokenizers whose models begin with BOS unless the file says otherwise. */
  private static final Set<String> PRE_WITH_BOS =
      Set.of("llama3", "llama-v3", "llama-bpe", "falcon3", "pixtral", "tekken");

  /** Ends of a turn that files often fail to name by id. */
  private static final Set<String> END_SPELLINGS =
      Set.of(
          "<|eot_id|>",
          "<|eom_id|>",
          "<|im_end|>",
          "<|end_of_text|>",
          "<|endoftext|>",
          "<|end|>",
          "<end_of_turn>",
          "<EOT>");

  private final Fields metadata;
  private final List<String> tokens;
  private final int[] types;
  private final boolean sentencePiece;

  private GgufTokenizer(Fields metadata, String model) {
    this.metadata = metadata;
    this.sentencePiece = model.equals("llama");
    this.tokens = metadata.strings(PREFIX + "tokens");
    this.types = types();
  }

  /**
   * @param vocabulary rows of the embedding
   */
  static TokenizerSpec.Gguf read(Fields metadata, int vocabulary) {
    String file = metadata.file();
    if (!metadata.has(PREFIX + "model") || !metadata.has(PREFIX + "tokens")) {
      throw new ModelFileException(
          file + " has no tokenizer; convert the model again with its tokenizer files beside it");
    }
    String model = metadata.string(PREFIX + "model");
    if (!model.equals("llama") && !model.equals("gpt2")) {
      throw new UnsupportedModelException(
          file
              + ": tokenizer "
              + Untrusted.quote(model)
              + " is not supported; llama (SentencePiece) and gpt2 (byte-level BPE) are");
    }
    return new GgufTokenizer(metadata, model).read(model, vocabulary);
  }

  private TokenizerSpec.Gguf read(String model, int vocabulary) {
    String file = metadata.file();
    if (tokens.isEmpty() || tokens.size() > vocabulary) {
      throw Untrusted.damaged(
          file, tokens.size() + " tokens do not fit an embedding of " + vocabulary + " rows");
    }
    float[] scores = scores();
    List<String> merges = metadata.strings(PREFIX + "merges");
    if (sentencePiece && scores.length == 0) {
      throw Untrusted.damaged(file, "the tokenizer has no scores");
    }
    if (!sentencePiece && merges.isEmpty()) {
      throw new ModelFileException(
          file + ": the tokenizer has no merges; convert the model again with a recent llama.cpp");
    }
    String pre = metadata.optionalString(PREFIX + "pre").orElse(null);
    boolean addBos = sentencePiece || (pre != null && PRE_WITH_BOS.contains(pre));
    return new TokenizerSpec.Gguf(
        model,
        pre,
        List.copyOf(tokens),
        scores,
        types,
        List.copyOf(merges),
        id("bos_token_id", sentencePiece ? 1 : -1),
        ends(),
        id("unknown_token_id", sentencePiece ? 0 : -1),
        metadata.flag(PREFIX + "add_bos_token", addBos),
        metadata.flag(PREFIX + "add_eos_token", false),
        metadata.flag(PREFIX + "add_space_prefix", sentencePiece));
  }

  /** Chat templates by name. */
  static Map<String, String> chatTemplates(Fields metadata) {
    Map<String, String> templates = new LinkedHashMap<>();
    String key = "tokenizer.chat_template";
    metadata.optionalString(key).ifPresent(t -> templates.put(ModelFile.DEFAULT_TEMPLATE, t));
    for (String name : metadata.strings("tokenizer.chat_templates")) {
      metadata.optionalString(key + "." + name).ifPresent(t -> templates.put(name, t));
    }
    return templates;
  }

  private List<Integer> ends() {
    LinkedHashSet<Integer> ends = new LinkedHashSet<>();
    ends.add(id("eos_token_id", sentencePiece ? 2 : -1));
    ends.add(id("eot_token_id", -1));
    ends.add(id("eom_token_id", -1));
    for (int i = 0; i < tokens.size(); i++) {
      if ((types.length == 0 || types[i] == CONTROL) && END_SPELLINGS.contains(tokens.get(i))) {
        ends.add(i);
      }
    }
    ends.remove(-1);
    return new ArrayList<>(ends);
  }

  private int id(String key, int otherwise) {
    int known = otherwise < tokens.size() ? otherwise : -1;
    return metadata.integer(PREFIX + key, 0, tokens.size() - 1, known);
  }

  private float[] scores() {
    double[] wide = metadata.reals(PREFIX + "scores");
    checkLength("scores", wide.length);
    float[] scores = new float[wide.length];
    for (int i = 0; i < wide.length; i++) {
      scores[i] = (float) wide[i];
    }
    return scores;
  }

  private int[] types() {
    long[] wide = metadata.integers(PREFIX + "token_type");
    checkLength("types", wide.length);
    int[] types = new int[wide.length];
    for (int i = 0; i < wide.length; i++) {
      types[i] = (int) Math.clamp(wide[i], 0L, Integer.MAX_VALUE);
    }
    return types;
  }

  private void checkLength(String what, int length) {
    if (length != 0 && length != tokens.size()) {
      throw Untrusted.damaged(
          metadata.file(), length + " token " + what + " for " + tokens.size() + " tokens");
    }
  }
}
