package org.chunkllama.server.openai;

import java.util.Optional;

/** Calls between {@code <tool_call>} and {@code </tool_call>}, text before and after. */
final class TaggedCalls implements AnswerParser {
  static final String OPEN = "<tool_call>";
  static final String CLOSE = "</tool_call>";

  private final StringBuilder held = new StringBuilder();
  private boolean anyCall;

  @Override
  public void accept(String piece, Sink sink) {
    held.append(piece);
    while (true) {
      int open = held.indexOf(OPEN);
      if (open < 0) {
        text(held.length() - partOf(OPEN), sink);
        return;
      }
      text(open, sink);
      int close = held.indexOf(CLOSE);
      if (close < 0) {
        return;
      }
      String inside = held.substring(OPEN.length(), close);
      Optional<ToolCall> call = ToolCall.parse(inside);
      if (call.isPresent()) {
        sink.call(call.get());
        anyCall = true;
      } else {
        sink.text(OPEN + inside + CLOSE);
      }
      held.delete(0, close + CLOSE.length());
    }
  }

  /** Sends text; blank text around calls is only their layout. */
  private void text(int length, Sink sink) {
    String text = held.substring(0, length);
    boolean layout = text.isBlank() && (anyCall || held.length() > length);
    if (!text.isEmpty() && !layout) {
      sink.text(text);
    }
    held.delete(0, length);
  }

  /** How many of the last characters may be the beginning of {@code tag}. */
  private int partOf(String tag) {
    for (int length = Math.min(tag.length() - 1, held.length()); length > 0; length--) {
      if (tag.startsWith(held.substring(held.length() - length))) {
        return length;
      }
    }
    return 0;
  }

  @Override
  public void finish(Sink sink) {
    String rest = held.toString();
    held.setLength(0);
    Optional<ToolCall> cut =
        rest.startsWith(OPEN) ? ToolCall.parse(rest.substring(OPEN.length())) : Optional.empty();
    cut.ifPresent(sink::call); // complete but for its closing tag, which may be a stop string
    if (cut.isEmpty() && !rest.isBlank()) {
      sink.text(rest);
    }
  }
}
