package org.chunkllama.cli;

import java.util.ArrayList;
import java.util.List;
import org.chunkllama.Prompt;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.text.Message;
import org.jspecify.annotations.Nullable;

/**
 * One prompt as given.
 *
 * @param number line in its file, from 1; 0 = given on the command line
 * @param content what to continue
 */
record PromptLine(int number, Content content) {
  /** The three forms. */
  sealed interface Content {}

  /** {@code prompt}. */
  record Text(String text) implements Content {}

  /** {@code messages}. */
  record Chat(List<Message> messages) implements Content {}

  /** {@code token_ids}. */
  record Ids(int[] ids) implements Content {}

  /**
   * The prompt for the library.
   *
   * @param system put first, or null
   * @param raw no chat template: texts as they are, control tokens spelled in them count as such;
   *     several are parted by a blank line, as for a model without a template
   * @throws InvalidRequestException if {@code system} cannot be put first
   */
  Prompt toPrompt(@Nullable String system, boolean raw) {
    return switch (content) {
      case Text(String text) when raw ->
          new Prompt.Raw((system == null ? "" : system) + text, true);
      case Text(String text) -> new Prompt.Chat(withSystem(system, List.of(Message.user(text))));
      case Chat(List<Message> messages) when raw ->
          new Prompt.Raw(joined(withSystem(system, messages)), true);
      case Chat(List<Message> messages) -> new Prompt.Chat(withSystem(system, messages));
      case Ids(int[] ids) -> {
        if (system != null) {
          throw invalid("a system prompt cannot go before token_ids; leave --system out");
        }
        yield new Prompt.Tokens(ids);
      }
    };
  }

  private static String joined(List<Message> messages) {
    return String.join("\n\n", messages.stream().map(PromptLine::content).toList());
  }

  private static String content(Message message) {
    return message.content() == null ? "" : message.content();
  }

  private List<Message> withSystem(@Nullable String system, List<Message> messages) {
    if (system == null) {
      return messages;
    }
    if (messages.getFirst().role().equals("system")) {
      throw invalid("the messages have a system message of their own; leave --system out");
    }
    List<Message> all = new ArrayList<>();
    all.add(Message.system(system));
    all.addAll(messages);
    return all;
  }

  private InvalidRequestException invalid(String what) {
    return new InvalidRequestException(number == 0 ? what : "line " + number + ": " + what);
  }
}
