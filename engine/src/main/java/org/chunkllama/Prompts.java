package org.chunkllama;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.chunkllama.text.ChatTemplate;
import org.chunkllama.text.Message;
import org.chunkllama.text.Tokenizer;

/** Prompts to token ids. Thread-safe. */
final class Prompts {
  private final Tokenizer tokenizer;
  private final ChatTemplate template;

  Prompts(Tokenizer tokenizer, ChatTemplate template) {
    this.tokenizer = tokenizer;
    this.template = template;
  }

  ChatTemplate template() {
    return template;
  }

  int[] encode(Prompt prompt) {
    return switch (prompt) {
      case Prompt.Tokens tokens -> tokens.ids();
      case Prompt.Raw raw -> tokenizer.encode(raw.text(), true, raw.parseSpecial());
      case Prompt.Chat chat -> encodeChat(chat);
    };
  }

  /**
   * Whether an answer goes on in the middle of a text, so that its first space counts: after a raw
   * prompt, unless that is only control tokens.
   */
  boolean isContinued(Prompt prompt, int[] ids) {
    return !(prompt instanceof Prompt.Chat) && !Arrays.stream(ids).allMatch(this::isControl);
  }

  private boolean isControl(int id) {
    return id >= 0 && id < tokenizer.vocabularySize() && tokenizer.isSpecial(id);
  }

  private int[] encodeChat(Prompt.Chat chat) {
    // As transformers does: what the template writes is all there is, BOS included.
    return tokenizer.encode(render(chat), false, true);
  }

  String render(Prompt.Chat chat) {
    return template.render(chat.messages(), chat.tools(), chat.answer(), chat.extras());
  }

  /** The ids that all prompts share which begin so: of a chat, up to the next user's words. */
  int[] encodePrefix(Prompt prompt) {
    if (!(prompt instanceof Prompt.Chat chat)) {
      return encode(prompt);
    }
    int[] one = encodeChat(chat.withMessages(with(chat.messages(), "Why is the sky blue?")));
    int[] other = encodeChat(chat.withMessages(with(chat.messages(), "7 + 4")));
    int same = Arrays.mismatch(one, other);
    return Arrays.copyOf(one, same < 0 ? one.length : same);
  }

  static List<Message> with(List<Message> messages, String user) {
    List<Message> all = new ArrayList<>(messages);
    all.add(Message.user(user));
    return all;
  }
}
