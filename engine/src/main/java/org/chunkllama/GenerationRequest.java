package org.chunkllama;

import java.time.Duration;
import java.util.List;
import org.chunkllama.error.InvalidRequestException;
import org.chunkllama.sample.GenerationOptions;
import org.chunkllama.schedule.Terms;
import org.chunkllama.text.Message;

/**
 * A prompt and what to do with it.
 *
 * @param prompt what to continue
 * @param options how
 * @param salt requests share KV only with requests of equal salt; empty by default
 * @param tenant whose limits it counts against, see {@link Llm#limitTenant}; empty by default
 * @param priority higher goes first, {@value #LEAST_PRIORITY} to {@value #MOST_PRIORITY}, 0 by
 *     default; one level is worth as much as having come {@value #ARRIVALS_PER_PRIORITY} requests
 *     earlier, so nobody waits for ever
 * @param deadline from submission; if it did not end by then it fails with {@link
 *     org.chunkllama.error.DeadlineException}. Zero = none
 */
public record GenerationRequest(
    Prompt prompt,
    GenerationOptions options,
    String salt,
    String tenant,
    int priority,
    Duration deadline) {
  /** Lowest priority. */
  public static final int LEAST_PRIORITY = -Terms.MOST_PRIORITY;

  /** Highest priority. */
  public static final int MOST_PRIORITY = Terms.MOST_PRIORITY;

  /** How many later requests a level of priority passes at most. */
  public static final int ARRIVALS_PER_PRIORITY = Terms.ARRIVALS_PER_PRIORITY;

  public GenerationRequest {
    if (priority < LEAST_PRIORITY || priority > MOST_PRIORITY) {
      throw new InvalidRequestException(
          "priority must be from %d to %d, not %d"
              .formatted(LEAST_PRIORITY, MOST_PRIORITY, priority));
    }
    if (deadline.isNegative()) {
      throw new InvalidRequestException("deadline must not be negative (0 = none): " + deadline);
    }
  }

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
    return new GenerationRequest(prompt, GenerationOptions.defaults(), "", "", 0, Duration.ZERO);
  }

  public GenerationRequest withOptions(GenerationOptions options) {
    return new GenerationRequest(prompt, options, salt, tenant, priority, deadline);
  }

  public GenerationRequest withSalt(String salt) {
    return new GenerationRequest(prompt, options, salt, tenant, priority, deadline);
  }

  public GenerationRequest withTenant(String tenant) {
    return new GenerationRequest(prompt, options, salt, tenant, priority, deadline);
  }

  public GenerationRequest withPriority(int priority) {
    return new GenerationRequest(prompt, options, salt, tenant, priority, deadline);
  }

  public GenerationRequest withDeadline(Duration deadline) {
    return new GenerationRequest(prompt, options, salt, tenant, priority, deadline);
  }
}
