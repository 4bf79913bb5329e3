package org.chunkllama.text;

import org.chunkllama.error.InvalidRequestException;

/** Of a model without a tokenizer. */
record NoEncoder() implements Encoder {
  @Override
  public int[] encode(String text, boolean addSpecial, boolean parseSpecial) {
    throw new InvalidRequestException(
        "this model has no tokenizer: give the prompt as token ids, such as {\"token_ids\": [1, 2]}");
  }

  @Override
  public void close() {}
}
