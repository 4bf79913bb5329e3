package org.chunkllama.server.openai;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.chunkllama.server.http.Json;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/**
 * Answers that are either text or, from their first character on, JSON: one call, an array of
 * calls, or several calls with semicolons between. What turns out to be neither goes out as text;
 * of a stream it is a call as soon as its arguments begin.
 */
final class WholeCalls implements AnswerParser {
  /** What stands before, between and behind calls. */
  private static final Pattern BETWEEN = Pattern.compile("[\\s,;\\[\\]]*");

  private final boolean streamed;
  private final StringBuilder held = new StringBuilder();
  private @Nullable StreamedCall current;
  private boolean anyCall;
  private boolean isText;

  /** {@code streamed}: give out arguments as they come. */
  WholeCalls(boolean streamed) {
    this.streamed = streamed;
  }

  @Override
  public void accept(String piece, Sink sink) {
    if (isText) {
      if (!piece.isEmpty()) {
        sink.text(piece);
      }
      return;
    }
    held.append(piece);
    if (streamed) {
      stream(sink);
    }
    if (anyCall) {
      return;
    }
    String begin = held.toString().stripLeading();
    if (!begin.isEmpty() && begin.charAt(0) != '{' && begin.charAt(0) != '[') {
      isText = true;
      sink.text(held.toString());
      held.setLength(0);
    }
  }

  private void stream(Sink sink) {
    while (true) {
      if (current == null) {
        StringBuilder call = new StringBuilder(afterLayout());
        current = StreamedCall.begin(call, sink).orElse(null);
        if (current == null) {
          return;
        }
        anyCall = true;
        held.setLength(0);
        held.append(call);
      }
      current.accept(held, sink);
      if (!current.isOver()) {
        return;
      }
      current = null;
    }
  }

  private String afterLayout() {
    return BETWEEN.matcher(held).replaceFirst("");
  }

  @Override
  public void finish(Sink sink) {
    if (current != null) {
      current.finish(sink);
      return; // what is held is the end of the call
    }
    String rest = anyCall ? afterLayout() : held.toString();
    if (rest.isEmpty()) {
      return;
    }
    List<ToolCall> calls = calls(rest);
    calls.forEach(sink::call);
    if (calls.isEmpty()) {
      sink.text(rest);
    }
  }

  private static List<ToolCall> calls(String text) {
    List<ToolCall> calls = new ArrayList<>();
    try {
      List<JsonNode> nodes = new ArrayList<>();
      for (JsonNode node : Json.parseAll(text.replaceAll("\\}\\s*;\\s*\\{", "} {"))) {
        nodes.addAll(node.isArray() ? List.copyOf(node.values()) : List.of(node));
      }
      for (JsonNode node : nodes) {
        var call = ToolCall.of(node);
        if (call.isEmpty()) {
          return List.of();
        }
        calls.add(call.get());
      }
    } catch (JacksonException e) {
      return List.of();
    }
    return calls;
  }
}
