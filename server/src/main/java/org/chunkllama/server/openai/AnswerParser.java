package org.chunkllama.server.openai;

/** Takes an answer apart, as it comes, into text and tool calls. One answer each. */
public interface AnswerParser {
  /** Where the parts go. */
  interface Sink {
    void text(String text);

    void call(ToolCall call);
  }

  /** The next piece of the answer. */
  void accept(String piece, Sink sink);

  /** The answer is complete: whatever was held back goes out. */
  void finish(Sink sink);

  /** All is text. */
  static AnswerParser plain() {
    return new AnswerParser() {
      @Override
      public void accept(String piece, Sink sink) {
        if (!piece.isEmpty()) {
          sink.text(piece);
        }
      }

      @Override
      public void finish(Sink sink) {}
    };
  }
}
