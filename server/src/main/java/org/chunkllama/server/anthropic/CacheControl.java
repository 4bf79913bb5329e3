package org.chunkllama.server.anthropic;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.chunkllama.Llm;
import org.chunkllama.Prompt;
import org.chunkllama.error.TemplateException;
import org.chunkllama.server.http.JsonFields;
import org.chunkllama.text.Message;
import tools.jackson.databind.JsonNode;

/**
 * The last {@code cache_control} of a request: how much of the prompt is to be kept, and how long.
 *
 * @param messages messages of the chat up to the mark
 * @param ttl how long
 */
record CacheControl(int messages, Duration ttl) {
  private static final Duration DEFAULT_TTL = Duration.ofMinutes(5);

  /** {@code ends}: see {@link MessageFields.Chat}. */
  static Optional<CacheControl> of(JsonFields fields, List<Integer> ends) {
    Optional<CacheControl> last = mark(fields, "system").map(ttl -> new CacheControl(1, ttl));
    List<JsonFields> messages = fields.objects("messages");
    for (int i = 0; i < messages.size(); i++) {
      int upTo = ends.get(i);
      Optional<CacheControl> here =
          mark(messages.get(i), "content").map(ttl -> new CacheControl(upTo, ttl));
      last = here.isPresent() ? here : last;
    }
    return last;
  }

  private static Optional<Duration> mark(JsonFields holder, String field) {
    Optional<JsonNode> value = holder.value(field);
    if (value.isEmpty() || !value.get().isArray()) {
      return Optional.empty();
    }
    Optional<Duration> last = Optional.empty();
    for (JsonFields block : holder.objects(field)) {
      Optional<JsonFields> control = block.fields("cache_control");
      if (control.isPresent()) {
        last = Optional.of(ttl(control.get()));
      }
    }
    return last;
  }

  private static Duration ttl(JsonFields control) {
    return switch (control.string("ttl").orElse("5m")) {
      case "5m" -> DEFAULT_TTL;
      case "1h" -> Duration.ofHours(1);
      default -> throw control.wrong("ttl", "must be '5m' or '1h'");
    };
  }

  /** The tokens to keep: what the marked messages have in common with the whole prompt. */
  int[] prefix(Llm llm, Prompt.Chat chat) {
    int[] whole = llm.encode(chat);
    List<Message> marked = chat.messages().subList(0, Math.min(messages, chat.messages().size()));
    try {
      int[] part = llm.encode(new Prompt.Chat(marked, chat.tools(), false, chat.extras()));
      int same = Arrays.mismatch(whole, part);
      return same < 0 ? whole : Arrays.copyOf(whole, same);
    } catch (TemplateException e) {
      return new int[0]; // the template does not write so few messages
    }
  }
}
