package org.chunkllama.server.openai;

import java.util.ArrayList;
import java.util.List;
import org.chunkllama.server.http.Json;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/**
 * Answers that are either text or, from their first character on, JSON: one call, an array of
 * calls, or several calls with semicolons between. What turns out to be neither goes out as text.
 */
final class WholeCalls implements AnswerParser {
  private final StringBuilder held = new StringBuilder();
  private boolean isText;

  @Override
  public void accept(String piece, Sink sink) {
    if (isText) {
      if (!piece.isEmpty()) {
        sink.text(piece);
      }
      return;
    }
    held.append(piece);
    String begin = held.toString().stripLeading();
    if (!begin.isEmpty() && begin.charAt(0) != '{' && begin.charAt(0) != '[') {
      isText = true;
      sink.text(held.toString());
      held.setLength(0);
    }
  }

  @Override
  public void finish(Sink sink) {
    if (held.isEmpty()) {
      return;
    }
    List<ToolCall> calls = calls(held.toString());
    calls.forEach(sink::call);
    if (calls.isEmpty()) {
      sink.text(held.toString());
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
