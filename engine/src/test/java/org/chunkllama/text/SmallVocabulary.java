package org.chunkllama.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Vocabularies of all bytes, a few merges and a few markers, for tests that need no model. */
final class SmallVocabulary {
  private static final int NORMAL = 1;
  private static final int UNKNOWN = 2;
  private static final int CONTROL = 3;
  private static final int USER_DEFINED = 4;
  private static final int UNUSED = 5;
  private static final int BYTE = 6;

  private SmallVocabulary() {}

  /** Byte-level BPE: ids 0 to 255 are bytes, then he, ll, hell, then the markers. */
  static TokenizerSpec.Gguf byteLevel(@Nullable String pre, boolean addBos, boolean addEos) {
    List<String> tokens = new ArrayList<>();
    for (int b = 0; b < 256; b++) {
      tokens.add(String.valueOf(ByteLevel.character(b)));
    }
    tokens.addAll(List.of("he", "ll", "hell", "<|begin|>", "<|end|>", "<tool>"));
    int[] types = new int[tokens.size()];
    Arrays.fill(types, NORMAL);
    types[259] = CONTROL;
    types[260] = CONTROL;
    types[261] = USER_DEFINED;
    return new TokenizerSpec.Gguf(
        "gpt2",
        pre,
        tokens,
        new float[0],
        types,
        List.of("h e", "l l", "he ll"),
        259,
        List.of(260),
        -1,
        addBos,
        addEos,
        false);
  }

  /** SentencePiece: unknown, BOS, EOS, a user's token, bytes from id 4, then pieces. */
  static TokenizerSpec.Gguf sentencePiece(boolean bytes) {
    List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>", "<tool>"));
    List<Integer> types = new ArrayList<>(List.of(UNKNOWN, CONTROL, CONTROL, USER_DEFINED));
    for (int b = 0; bytes && b < 256; b++) {
      tokens.add("<0x%02X>".formatted(b));
      types.add(BYTE);
    }
    for (String piece : List.of("▁", "h", "e", "l", "o", "a", "<", "s", ">", "he", "ll", "aa")) {
      tokens.add(piece);
      types.add(NORMAL);
    }
    tokens.add("hell"); // reached by merging, taken apart again
    types.add(UNUSED);
    float[] scores = new float[tokens.size()];
    for (int id = 0; id < scores.length; id++) {
      scores[id] = -id;
    }
    return new TokenizerSpec.Gguf(
        "llama",
        null,
        tokens,
        scores,
        types.stream().mapToInt(type -> type).toArray(),
        List.of(),
        1,
        List.of(2),
        0,
        true,
        false,
        true);
  }
}
