package org.chunkllama.server.openai;

import org.chunkllama.Llm;
import org.chunkllama.Prompt;
import org.chunkllama.text.IncrementalDetokenizer;

/**
 * Where in an answer's text its tokens begin, in characters (Unicode code points, as OpenAI counts
 * them). Tokens that are parts of one character begin where it does.
 */
final class TextOffsets {
  private final IncrementalDetokenizer text;

  /** Of an answer to {@code prompt}, from its first token on. */
  TextOffsets(Llm llm, Prompt prompt) {
    text = llm.detokenizer(prompt);
  }

  /** Where the answer's next token begins, which is {@code token}. */
  int next(int token) {
    text.append(token);
    return text.begin();
  }
}
