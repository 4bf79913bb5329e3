package org.chunkllama.guide;

import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.text.Tokenizer;

/** Makes guides ready for one tokenizer's vocabulary. Thread-safe. */
public final class GuideCompiler {
  private final boolean ready;

  public GuideCompiler(Tokenizer tokenizer) {
    ready = tokenizer.vocabularySize() < 0;
  }

  /**
   * Makes a guide ready.
   *
   * @throws InvalidRequestException if it is not understood, naming what
   */
  public CompiledGuide compile(Guide guide) {
    if (ready) {
      return new CompiledGuide();
    }
    throw new InvalidRequestException("guides are not ready yet");
  }
}
