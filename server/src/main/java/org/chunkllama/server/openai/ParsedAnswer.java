package org.chunkllama.server.openai;

import java.util.ArrayList;
import java.util.List;
import org.chunkllama.Completion;

/**
 * A complete answer, taken apart.
 *
 * @param text what is not a call
 * @param calls in their order
 * @param finishReason in OpenAI's words
 */
public record ParsedAnswer(String text, List<ToolCall> calls, String finishReason) {
  public static ParsedAnswer of(Completion completion, AnswerParser parser) {
    StringBuilder text = new StringBuilder();
    List<ToolCall> calls = new ArrayList<>();
    AnswerParser.Sink sink =
        new AnswerParser.Sink() {
          @Override
          public void text(String part) {
            text.append(part);
          }

          @Override
          public void callBegins(String id, String name) {
            calls.add(new ToolCall(id, name, ""));
          }

          @Override
          public void arguments(String part) {
            ToolCall call = calls.removeLast();
            calls.add(new ToolCall(call.id(), call.name(), call.arguments() + part));
          }

          @Override
          public void callEnds() {}
        };
    parser.accept(completion.text(), sink);
    parser.finish(sink);
    String reason = Finish.reason(completion.finishReason(), !calls.isEmpty());
    return new ParsedAnswer(text.toString(), List.copyOf(calls), reason);
  }
}
