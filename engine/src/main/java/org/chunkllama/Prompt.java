package org.chunkllama;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.text.Message;
import org.jspecify.annotations.Nullable;

/** What the model is to continue. */
public sealed interface Prompt {
  /**
   * A chat, rendered by the model's chat template. A model without one refuses it: give it raw
   * text.
   *
   * @param tools JSON schemas of functions that the model may call, as OpenAI has them; may be
   *     empty
   * @param answer end with the beginning of an assistant's message
   * @param extras further variables that the template knows, such as {@code enable_thinking}
   */
  record Chat(
      List<Message> messages,
      List<Map<String, @Nullable Object>> tools,
      boolean answer,
      Map<String, @Nullable Object> extras)
      implements Prompt {
    public Chat {
      messages = List.copyOf(messages);
      tools = List.copyOf(tools);
      extras = Collections.unmodifiableMap(new LinkedHashMap<>(extras));
      if (messages.isEmpty()) {
        throw new InvalidRequestException("a chat needs at least one message");
      }
    }

    /** A chat without tools that the assistant answers. */
    public Chat(List<Message> messages) {
      this(messages, List.of(), true, Map.of());
    }

    Chat withMessages(List<Message> others) {
      return new Chat(others, tools, answer, extras);
    }
  }

  /** Text as it is; control tokens spelled in it count as such if {@code parseSpecial}. */
  record Raw(String text, boolean parseSpecial) implements Prompt {}

  /** Token ids as they are; nothing is added. */
  record Tokens(int[] ids) implements Prompt {
    public Tokens {
      if (ids.length == 0) {
        throw new InvalidRequestException("a prompt needs at least one token");
      }
      ids = ids.clone();
    }
  }
}
