package org.chunkllama.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.chunkllama.Prompt;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.text.Message;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PromptFileTest {
  private static List<PromptLine> read(byte[] bytes) throws IOException {
    PrintStream none =
        new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8);
    return PromptFile.read(
        "-", new Console(new ByteArrayInputStream(bytes), none, none, false, false));
  }

  private static List<PromptLine> read(String text) throws IOException {
    return read(text.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void readsTheThreeForms() throws IOException {
    List<PromptLine> lines =
        read(
            """
            {"prompt": "Où?", "id": 7}

            {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]}
            {"token_ids": [1, 2, 3]}
            """);
    assertThat(lines).extracting(PromptLine::number).containsExactly(1, 3, 4);
    assertThat(lines.get(0).toPrompt(null, false))
        .isEqualTo(new Prompt.Chat(List.of(Message.user("Où?"))));
    assertThat(lines.get(0).toPrompt(null, true)).isEqualTo(new Prompt.Raw("Où?", true));
    assertThat(lines.get(1).toPrompt(null, false))
        .isEqualTo(new Prompt.Chat(List.of(Message.system("Be brief."), Message.user("Hi"))));
    assertThat(((Prompt.Tokens) lines.get(2).toPrompt(null, false)).ids()).containsExactly(1, 2, 3);
  }

  @Test
  void systemPromptGoesFirst() throws IOException {
    List<PromptLine> lines =
        read(
            """
            {"prompt": "Hi"}
            {"messages": [{"role": "system", "content": "Own."}, {"role": "user", "content": "Hi"}]}
            {"token_ids": [1]}
            """);
    assertThat(lines.get(0).toPrompt("Sys.", false))
        .isEqualTo(new Prompt.Chat(List.of(Message.system("Sys."), Message.user("Hi"))));
    assertThat(lines.get(0).toPrompt("Sys.", true)).isEqualTo(new Prompt.Raw("Sys.Hi", true));
    assertThatThrownBy(() -> lines.get(1).toPrompt("Sys.", false))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("line 2");
    assertThatThrownBy(() -> lines.get(2).toPrompt("Sys.", false))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("line 3");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      textBlock =
          """
          {"prompt": "x"                        | not valid JSON
          {"prompt": "x"} trailing              | not valid JSON
          ["x"]                                 | a JSON object is needed, not a list
          {}                                    | give one of prompt, messages and token_ids
          {"prompt": "x", "token_ids": [1]}     | not 2 of them
          {"prompt": 3}                         | prompt must be a string, not a number
          {"prompt": null}                      | prompt must be a string, not null
          {"messages": []}                      | at least one message
          {"messages": ["hi"]}                  | a message must be an object
          {"messages": [{"role": "user"}]}      | a message has no content
          {"messages": [{"content": "x"}]}      | a message has no role
          {"token_ids": []}                     | at least one id
          {"token_ids": [1.5]}                  | whole numbers
          {"token_ids": [-1]}                   | whole numbers
          {"token_ids": [99999999999]}          | whole numbers
          {"token_ids": "1 2"}                  | at least one id
          """)
  void malformedLineIsNamed(String line, String told) {
    assertThatThrownBy(() -> read("{\"prompt\": \"fine\"}\n\n" + line + "\n"))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("standard input:3: ")
        .hasMessageContaining(told);
  }

  @Test
  void emptyAndForeignFilesAreRefused() {
    assertThatThrownBy(() -> read(" \n\n"))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("holds no prompt");
    assertThatThrownBy(() -> read(new byte[] {'{', (byte) 0xff, (byte) 0xfe, '}'}))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("not UTF-8");
  }
}
