package org.chunkllama.server.openai;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.chunkllama.server.http.Json;
import tools.jackson.core.JacksonException;

/** A call whose arguments go out as the model writes them, without the space between tokens. */
final class StreamedCall {
  /** The name, up to where the object of the arguments begins. */
  private static final Pattern HEAD =
      Pattern.compile(
          "\\s*\\{\\s*\"name\"\\s*:\\s*(\"(?:[^\"\\\\]|\\\\.)*\")\\s*,"
              + "\\s*\"(?:arguments|parameters)\"\\s*:\\s*(?=\\{)");

  /** Open braces and brackets; 1 = those of the call itself. */
  private int depth = 1;

  private boolean inString;
  private boolean escaped;
  private boolean ended;

  private StreamedCall() {}

  /**
   * Begins a call if {@code text}, of which it takes the beginning, tells the name and that
   * arguments follow; else leaves it as it is.
   */
  static Optional<StreamedCall> begin(StringBuilder text, AnswerParser.Sink sink) {
    Matcher head = HEAD.matcher(text);
    if (!head.lookingAt()) {
      return Optional.empty();
    }
    try {
      sink.callBegins(ToolCall.newId(), Json.parse(head.group(1)).stringValue());
    } catch (JacksonException e) {
      return Optional.empty(); // no name that JSON knows
    }
    text.delete(0, head.end());
    return Optional.of(new StreamedCall());
  }

  /** Takes what belongs to the call from the beginning of {@code text}. */
  void accept(StringBuilder text, AnswerParser.Sink sink) {
    StringBuilder part = new StringBuilder();
    int taken = 0;
    while (taken < text.length() && !isOver()) {
      char c = text.charAt(taken++);
      boolean wasInString = inString;
      follow(c);
      if (!ended && (wasInString || !Character.isWhitespace(c))) {
        part.append(c);
      }
      if (!ended && depth == 1) {
        send(part, sink);
        ended = true;
        sink.callEnds();
      }
    }
    text.delete(0, taken);
    send(part, sink);
  }

  private void follow(char c) {
    if (inString) {
      inString = escaped || c != '"';
      escaped = !escaped && c == '\\';
      return;
    }
    switch (c) {
      case '"' -> inString = true;
      case '{', '[' -> depth++;
      case '}', ']' -> depth--;
      default -> {}
    }
  }

  private static void send(StringBuilder part, AnswerParser.Sink sink) {
    if (!part.isEmpty()) {
      sink.arguments(part.toString());
      part.setLength(0);
    }
  }

  /** The call's own closing brace has come. */
  boolean isOver() {
    return depth == 0;
  }

  /** The arguments are complete; what else the call has means nothing. */
  boolean hasEnded() {
    return ended;
  }

  /** The answer is complete. */
  void finish(AnswerParser.Sink sink) {
    if (!ended) {
      ended = true;
      sink.callEnds();
    }
  }
}
