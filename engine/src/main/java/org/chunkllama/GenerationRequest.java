package org.chunkllama;

import java.util.List;
import org.chunkllama.sample.GenerationOptions;
import org.chunkllama.text.Message;

/**
 * A prompt and what to do with it.
 *
 * @param prompt what to continue
 * @param options how
 * @param salt requests share KV only with requests of equal salt; empty by default
 */
public record GenerationRequest(Prompt prompt, GenerationOptions options, String salt) {
  /** One user message through the model's chat template. */
  public static GenerationRequest of(String userMessage) {
    return chat(List.of(Message.user(userMessage)));
  }

  /** Messages through the model's chat template. */
  public static GenerationRequest chat(List<Message> messages) {
    return of(new Prompt.Chat(messages));
  }

  /** Text to continue, no template. */
  public static GenerationRequest raw(String text) {
    return of(new Prompt.Raw(text, false));
  }

  /** Token ids to continue, nothing added. */
  public static GenerationRequest tokens(int... ids) {
    return of(new Prompt.Tokens(ids));
  }

  public static GenerationRequest of(Prompt prompt) {
    return new GenerationRequest(prompt, GenerationOptions.defaults(), "");
  }

  public GenerationRequest withOptions(GenerationOptions options) {
    return new GenerationRequest(prompt, options, salt);
  }

  public GenerationRequest withSalt(String salt) {
    return new GenerationRequest(prompt, options, salt);
  }
}
