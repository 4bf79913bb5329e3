package org.chunkllama;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReference;
import org.chunkllama.prefix.Pin;
import org.chunkllama.schedule.EngineLoop;
import org.chunkllama.text.Tokenizer;
import org.jspecify.annotations.Nullable;

/** A pin of the engine's tree, closed from any thread. */
final class PinnedPrefix implements Prefix {
  private final EngineLoop loop;
  private final Tokenizer tokenizer;
  private final Prompt prompt;
  private final int tokens;
  private final AtomicReference<@Nullable Pin> pin;

  PinnedPrefix(EngineLoop loop, Tokenizer tokenizer, Prompt prompt, int tokens, Pin pin) {
    this.loop = loop;
    this.tokenizer = tokenizer;
    this.prompt = prompt;
    this.tokens = tokens;
    this.pin = new AtomicReference<>(pin);
  }

  @Override
  public GenerationRequest request(String continuation) {
    return switch (prompt) {
      case Prompt.Chat chat ->
          GenerationRequest.of(chat.withMessages(Prompts.with(chat.messages(), continuation)));
      case Prompt.Raw raw ->
          GenerationRequest.of(new Prompt.Raw(raw.text() + continuation, raw.parseSpecial()));
      case Prompt.Tokens head -> {
        int[] tail = tokenizer.encode(continuation, false, false);
        int[] all = Arrays.copyOf(head.ids(), head.ids().length + tail.length);
        System.arraycopy(tail, 0, all, head.ids().length, tail.length);
        yield GenerationRequest.tokens(all);
      }
    };
  }

  @Override
  public int tokens() {
    return tokens;
  }

  @Override
  public void close() {
    Pin held = pin.getAndSet(null);
    if (held != null) {
      // the answer does not matter: a closed engine has let go of everything
      var _ =
          loop.ask(_ -> {
            held.close();
            return true;
          });
    }
  }
}
