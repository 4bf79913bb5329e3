package org.chunkllama.server.openai;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Calls between {@code <tool_call>} and {@code </tool_call>}, text before and after. What is no
 * call stays text; of a stream it is one as soon as its arguments begin.
 */
final class TaggedCalls implements AnswerParser {
  static final String OPEN = "<tool_call>";
  static final String CLOSE = "</tool_call>";

  private final boolean streamed;
  private final StringBuilder held = new StringBuilder();
  private @Nullable StreamedCall current;
  private boolean anyCall;

  /** {@code streamed}: give out arguments as they come. */
  TaggedCalls(boolean streamed) {
    this.streamed = streamed;
  }

  @Override
  public void accept(String piece, Sink sink) {
    held.append(piece);
    while (true) {
      if (current != null && !goOn(current, sink)) {
        return;
      }
      int open = held.indexOf(OPEN);
      if (open < 0) {
        text(held.length() - partOf(OPEN), sink);
        return;
      }
      text(open, sink);
      if (streamed && begins(sink)) {
        continue;
      }
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

  private boolean begins(Sink sink) {
    StringBuilder inside = new StringBuilder(held.substring(OPEN.length()));
    current = StreamedCall.begin(inside, sink).orElse(null);
    if (current == null) {
      return false;
    }
    anyCall = true;
    held.setLength(0);
    held.append(inside);
    return true;
  }

  /** True once the call is over, with its closing tag. */
  private boolean goOn(StreamedCall call, Sink sink) {
    if (!call.hasEnded()) {
      call.accept(held, sink);
    }
    int close = call.hasEnded() ? held.indexOf(CLOSE) : -1;
    if (close < 0) {
      return false;
    }
    held.delete(0, close + CLOSE.length());
    current = null;
    return true;
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
    if (current != null) {
      current.finish(sink);
      return; // what is held is the end of the call
    }
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
