package org.chunkllama.server.openai;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Answers are taken apart the same way however they are cut into pieces. */
class ToolFormatTest {
  /** Text and calls in their order; neighbouring texts joined. */
  private static List<String> parts(ToolFormat format, boolean streamed, String answer, int piece) {
    List<String> parts = new ArrayList<>();
    AnswerParser.Sink sink =
        new AnswerParser.Sink() {
          private boolean inText;

          @Override
          public void text(String text) {
            parts.add(inText ? parts.removeLast() + text : text);
            inText = true;
          }

          @Override
          public void callBegins(String id, String name) {
            assertThat(id).startsWith("call_");
            parts.add("CALL " + name + " ");
            inText = false;
          }

          @Override
          public void arguments(String part) {
            parts.add(parts.removeLast() + part);
          }

          @Override
          public void callEnds() {
            parts.add(parts.removeLast() + "."); // so that each call ends once
          }
        };
    AnswerParser parser = format.parser(streamed);
    for (int i = 0; i < answer.length(); i += piece) {
      parser.accept(answer.substring(i, Math.min(answer.length(), i + piece)), sink);
    }
    parser.finish(sink);
    return parts;
  }

  private static void check(ToolFormat format, String answer, String... parts) {
    for (int piece : new int[] {1, 2, 3, 7, 1000}) {
      for (boolean streamed : new boolean[] {false, true}) {
        assertThat(parts(format, streamed, answer, piece))
            .as("pieces of %d", piece)
            .containsExactly(parts);
      }
    }
  }

  @Test
  void taggedCalls() {
    String call = "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": 1}}\n</tool_call>";
    check(ToolFormat.TAGGED, call, "CALL f {\"a\":1}.");
    check(ToolFormat.TAGGED, call + "\n" + call, "CALL f {\"a\":1}.", "CALL f {\"a\":1}.");
    check(ToolFormat.TAGGED, "Let me see." + call, "Let me see.", "CALL f {\"a\":1}.");
    check(ToolFormat.TAGGED, "1 < 2 <tool", "1 < 2 <tool");
    check(ToolFormat.TAGGED, call.replace("\n</tool_call>", ""), "CALL f {\"a\":1}.");
    String broken = "<tool_call>{\"name\"</tool_call>";
    check(ToolFormat.TAGGED, broken + " so", broken + " so");
    check(ToolFormat.TAGGED, "<tool_call>{\"name\": \"f\"", "<tool_call>{\"name\": \"f\"");
  }

  @Test
  void wholeCalls() {
    check(
        ToolFormat.OBJECT,
        "{\"name\": \"f\", \"parameters\": {\"a\": \"b\"}}",
        "CALL f {\"a\":\"b\"}.");
    check(
        ToolFormat.OBJECT,
        "{\"name\": \"f\", \"parameters\": {}}; {\"name\": \"g\"}",
        "CALL f {}.",
        "CALL g {}.");
    check(
        ToolFormat.ARRAY,
        " [{\"name\": \"f\", \"arguments\": {}}, {\"name\": \"g\", \"arguments\": {}}]",
        "CALL f {}.",
        "CALL g {}.");
    check(ToolFormat.OBJECT, "{\"answer\": 42}", "{\"answer\": 42}");
    check(ToolFormat.ARRAY, "[1] is a footnote", "[1] is a footnote");
    check(ToolFormat.OBJECT, "Plain text {}", "Plain text {}");
    check(ToolFormat.OBJECT, "");
  }

  /** What a stream gives out of a call that is not complete, or not JSON in the end. */
  @Test
  void streamedCallsAreGivenOutAsWritten() {
    String open = "<tool_call>\n{\"name\": \"f\", \"arguments\": ";
    for (int piece : new int[] {1, 2, 3, 7, 1000}) {
      assertThat(parts(ToolFormat.TAGGED, true, open + "{\"a\": \"x y\", \"b\"", piece))
          .containsExactly("CALL f {\"a\":\"x y\",\"b\".");
      assertThat(parts(ToolFormat.TAGGED, true, open + "{1}}</tool_call>then", piece))
          .containsExactly("CALL f {1}.", "then");
      String tricky = "{\"a\": \"}\\\" </tool_call> {\", \"b\": [{}, 1]}";
      assertThat(parts(ToolFormat.TAGGED, true, open + tricky + "}</tool_call>", piece))
          .containsExactly(
              "CALL f "
                  + tricky
                      .replace(", \"b\": ", ",\"b\":")
                      .replace("\"a\": ", "\"a\":")
                      .replace("{}, 1", "{},1")
                  + ".");
      assertThat(
              parts(
                  ToolFormat.ARRAY,
                  true,
                  "[{\"name\": \"f\", \"arguments\": {}, \"id\": \"a}\"}, {\"name\": \"g\", \"arg",
                  piece))
          .containsExactly("CALL f {}.", "{\"name\": \"g\", \"arg");
    }
  }

  /** A long argument comes in as many parts as the model writes it. */
  @Test
  void argumentsComeInPieces() {
    List<String> arguments = new ArrayList<>();
    AnswerParser.Sink sink =
        new AnswerParser.Sink() {
          @Override
          public void text(String text) {}

          @Override
          public void callBegins(String id, String name) {}

          @Override
          public void arguments(String part) {
            arguments.add(part);
          }

          @Override
          public void callEnds() {}
        };
    AnswerParser parser = ToolFormat.OBJECT.parser(true);
    for (String piece :
        List.of("{\"na", "me\": \"f\",", " \"parameters\": {\"a\"", ": \"b c", " d", "\"}}")) {
      parser.accept(piece, sink);
    }
    assertThat(arguments).containsExactly("{\"a\"", ":\"b c", " d", "\"}");
  }

  @Test
  void templatesTellTheFormat() {
    assertThat(ToolFormat.of("{% if tools %}<tool_call>{% endif %}")).contains(ToolFormat.TAGGED);
    assertThat(ToolFormat.of("{% if tools %}[TOOL_CALLS]{% endif %}")).contains(ToolFormat.ARRAY);
    assertThat(ToolFormat.of("{% if tools %}{\"parameters\": ..}{% endif %}"))
        .contains(ToolFormat.OBJECT);
    assertThat(ToolFormat.of("{{ messages }}")).isEmpty();
  }
}
