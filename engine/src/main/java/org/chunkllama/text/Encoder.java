package org.chunkllama.text;

/** Text to ids, the half of a tokenizer that differs between formats. Thread-safe. */
interface Encoder extends AutoCloseable {
  /** See {@link Tokenizer#encode}; {@code text} has no unpaired surrogates. */
  int[] encode(String text, boolean addSpecial, boolean parseSpecial);

  @Override
  void close();
}
