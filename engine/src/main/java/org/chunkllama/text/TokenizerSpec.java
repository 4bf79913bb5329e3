package org.chunkllama.text;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a model file says about its tokenizer. */
public sealed interface TokenizerSpec {
  /**
   * Hugging Face: {@code tokenizer.json}.
   *
   * @param tokenizerJson the file
   * @param addBos whether the model's tokenizer_config says that BOS is added; null = as
   *     tokenizer.json's post-processor does
   * @param bosId id of the begin-of-sequence token, or -1
   * @param eosIds ids that end a generation (config.json, generation_config.json,
   *     tokenizer_config.json)
   */
  record HuggingFace(Path tokenizerJson, @Nullable Boolean addBos, int bosId, List<Integer> eosIds)
      implements TokenizerSpec {}

  /**
   * GGUF: {@code tokenizer.ggml.*}.
   *
   * @param model {@code llama} (SentencePiece BPE by score) or {@code gpt2} (byte-level BPE by
   *     merges)
   * @param pre pre-tokenizer name for gpt2 ({@code llama-bpe}, {@code qwen2}, {@code smollm},
   *     {@code gpt-2}, ...), or null
   * @param tokens the vocabulary by id
   * @param scores by id; empty for gpt2
   * @param types by id: 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte; empty if
   *     the file has none
   * @param merges "left right", best first; empty for llama
   * @param bosId id, or -1
   * @param eosIds ids that end a generation (eos, eot, eom), first is EOS; may be empty
   * @param unknownId id, or -1
   * @param addBos put BOS first
   * @param addEos put EOS last
   * @param addSpacePrefix put a space before the text (SentencePiece)
   */
  record Gguf(
      String model,
      @Nullable String pre,
      List<String> tokens,
      float[] scores,
      int[] types,
      List<String> merges,
      int bosId,
      List<Integer> eosIds,
      int unknownId,
      boolean addBos,
      boolean addEos,
      boolean addSpacePrefix)
      implements TokenizerSpec {}

  /**
   * None: texts cannot be encoded, and an id reads as its number with a space before it.
   *
   * @param vocabulary ids known
   */
  record IdsOnly(int vocabulary) implements TokenizerSpec {}
}
