package org.chunkllama.text;

import java.util.UUID;

/** How control tokens are spelled in a tokenizer.json that is given to the native library. */
@FunctionalInterface
interface ControlSpelling {
  /** As they are: found in the text. */
  ControlSpelling AS_IS = token -> token;

  String of(String token);

  /**
   * Spelled so that no text has them, whoever wrote it. Ids stay, which would shift if they were
   * left out: the library numbers added tokens by itself.
   */
  static ControlSpelling unguessable() {
    String nonce = UUID.randomUUID().toString();
    return token -> nonce + token;
  }
}
