package org.chunkllama.text;

/** For tests that only decode. */
record NoEncoder() implements Encoder {
  @Override
  public int[] encode(String text, boolean addSpecial, boolean parseSpecial) {
    throw new UnsupportedOperationException("decoding only");
  }

  @Override
  public void close() {}
}
