package org.chunkllama.text;

import org.chunkllama.error.ModelFileException;

/** The kinds of the tokens of a GGUF vocabulary. */
final class GgufTokenTypes {
  private static final int NORMAL = 1;
  private static final int UNKNOWN = 2;
  private static final int CONTROL = 3;
  private static final int USER_DEFINED = 4;
  private static final int UNUSED = 5;
  private static final int BYTE = 6;

  private final int[] types;

  /**
   * Files without types get them by what is known: BOS, EOS and unknown are control tokens.
   *
   * @throws ModelFileException where lists differ in length or ids lie outside the vocabulary
   */
  GgufTokenTypes(TokenizerSpec.Gguf spec) {
    int size = spec.tokens().size();
    if (size == 0) {
      throw new ModelFileException(
          "the file has no tokens (tokenizer.ggml.tokens); use a complete file of the model");
    }
    if (spec.types().length != 0 && spec.types().length != size) {
      throw new ModelFileException(
          "tokenizer.ggml.token_type has "
              + spec.types().length
              + " entries for "
              + size
              + " tokens; download the model again");
    }
    types = new int[size];
    for (int id = 0; id < size; id++) {
      types[id] = spec.types().length == 0 ? NORMAL : spec.types()[id];
    }
    mark(spec, spec.bosId(), "bos_token_id");
    mark(spec, spec.unknownId(), "unknown_token_id");
    for (int id : spec.eosIds()) {
      mark(spec, id, "eos_token_id");
    }
  }

  private void mark(TokenizerSpec.Gguf spec, int id, String key) {
    if (id < -1 || id >= types.length) {
      throw new ModelFileException(
          "tokenizer.ggml."
              + key
              + " is "
              + id
              + ", outside the vocabulary of "
              + types.length
              + " tokens; download the model again");
    }
    if (id >= 0 && spec.types().length == 0) {
      types[id] = CONTROL;
    }
  }

  /** Control and unknown tokens: never text. */
  boolean isControl(int id) {
    return types[id] == CONTROL || types[id] == UNKNOWN;
  }

  /** Found in any text as it is, before all else. */
  boolean isUserDefined(int id) {
    return types[id] == USER_DEFINED;
  }

  boolean isByte(int id) {
    return types[id] == BYTE;
  }

  /** Reached by merging, but taken apart again in the end. */
  boolean isUnused(int id) {
    return types[id] == UNUSED;
  }
}
