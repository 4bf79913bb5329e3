package org.chunkllama;

import java.util.List;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.text.Message;

/** What the model is to continue. */
public sealed interface Prompt {
  /**
   * A chat, rendered by the model's chat template. A model without one refuses it: give it raw
   * text.
   */
  record Chat(List<Message> messages) implements Prompt {
    public Chat {
      messages = List.copyOf(messages);
      if (messages.isEmpty()) {
        throw new InvalidRequestException("a chat needs at least one message");
      }
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
