package org.chunkllama.server.openai;

/** Takes an answer apart, as it comes, into text and tool calls. One answer each. */
public interface AnswerParser {
  /** Where the parts go. */
  interface Sink {
    void text(String text);

    /** A call begins; its arguments follow, then its end. */
    void callBegins(String id, String name);

    /** More of the call's arguments: JSON, once all parts are put together. */
    void arguments(String part);

    /** The call's arguments are complete, or cut off where the answer was. */
    void callEnds();

    /** A call in one piece. */
    default void call(ToolCall call) {
      callBegins(call.id(), call.name());
      arguments(call.arguments());
      callEnds();
    }
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
