package org.chunkllama.server.anthropic;

import static org.assertj.core.api.Assertions.assertThat;

import org.chunkllama.server.http.JsonFields;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

class CacheControlTest {
  private static final String MARKED =
      """
      {"role":"user","content":[
        {"type":"text","text":"Long.","cache_control":{"type":"ephemeral"}}]}\
      """;
  private static final String CALLS =
      """
      {"role":"assistant","content":[
        {"type":"tool_use","id":"a","name":"f","input":{}},
        {"type":"tool_use","id":"b","name":"f","input":{}}]}\
      """;
  private static final String RESULTS =
      """
      {"role":"user","content":[
        {"type":"tool_result","tool_use_id":"a","content":"1"},
        {"type":"tool_result","tool_use_id":"b","content":"2"},
        {"type":"text","text":"Go on."}]}\
      """;
  private static final String THOUGHT =
      """
      {"role":"assistant","content":[{"type":"thinking","thinking":"Hm."}]}\
      """;

  /** Messages of the chat up to the last mark. */
  private static int marked(String system, String... messages) {
    String body =
        "{\"max_tokens\":1,%s\"messages\":[%s]}".formatted(system, String.join(",", messages));
    JsonFields fields = new JsonFields((ObjectNode) JsonMapper.builder().build().readTree(body));
    MessageFields.Chat chat = MessageFields.toChat(fields);
    return CacheControl.of(fields, chat.ends()).orElseThrow().messages();
  }

  @Test
  void laterMessagesDoNotMoveTheMark() {
    assertThat(marked("", MARKED)).isEqualTo(1);
    assertThat(marked("", MARKED, CALLS, RESULTS)).isEqualTo(1);
    assertThat(marked("", MARKED, THOUGHT, THOUGHT)).isEqualTo(1);
    assertThat(marked("\"system\":\"Brief.\",", MARKED, CALLS, RESULTS)).isEqualTo(2);
  }

  @Test
  void messagesThatBecomeSeveralOrNoneCountAsWhatTheyBecome() {
    String question = MARKED.replace(",\"cache_control\":{\"type\":\"ephemeral\"}", "");
    assertThat(marked("", question, CALLS, RESULTS, MARKED)).isEqualTo(6);
    assertThat(marked("", question, THOUGHT, MARKED)).isEqualTo(2);
    String onSystem = "\"system\":[{\"type\":\"text\",\"text\":\"Brief.\",\"cache_control\":{}}],";
    assertThat(marked(onSystem, question, CALLS, RESULTS)).isEqualTo(1);
  }
}
