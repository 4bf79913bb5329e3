package org.chunkllama;

import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.chunkllama.prefix.Pin;
import org.chunkllama.schedule.EngineLoop;
import org.chunkllama.text.Tokenizer;
import org.jspecify.annotations.Nullable;

/** A pin of the engine's tree, closed from any thread. */
final class PinnedPrefix implements Prefix {
  private final long id;
  private final EngineLoop loop;
  private final Tokenizer tokenizer;
  private final Prompt prompt;
  private final PrefixOptions options;
  private final int tokens;
  private final long madeNanos = System.nanoTime();
  private final Consumer<PinnedPrefix> closed;
  private final AtomicReference<@Nullable Pin> pin;

  /** {@code closed}: told once, when it is closed. */
  PinnedPrefix(
      long id,
      EngineLoop loop,
      Tokenizer tokenizer,
      Prompt prompt,
      PrefixOptions options,
      int tokens,
      Pin pin,
      Consumer<PinnedPrefix> closed) {
    this.id = id;
    this.loop = loop;
    this.tokenizer = tokenizer;
    this.prompt = prompt;
    this.options = options;
    this.tokens = tokens;
    this.pin = new AtomicReference<>(pin);
    this.closed = closed;
  }

  @Override
  public long id() {
    return id;
  }

  @Override
  public PrefixOptions options() {
    return options;
  }

  @Override
  public Optional<Duration> timeLeft() {
    if (pin.get() == null) {
      return Optional.of(Duration.ZERO);
    }
    if (options.ttl().isZero()) {
      return Optional.empty();
    }
    Duration left = options.ttl().minusNanos(System.nanoTime() - madeNanos);
    return Optional.of(left.isNegative() ? Duration.ZERO : left);
  }

  /** True until it is closed or its time is over. */
  boolean isHeld() {
    return timeLeft().map(left -> !left.isZero()).orElse(true);
  }

  @Override
  public GenerationRequest request(String continuation) {
    return unsalted(continuation).withSalt(options.salt()).withTenant(options.tenant());
  }

  private GenerationRequest unsalted(String continuation) {
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
      closed.accept(this);
      // the answer does not matter: a closed engine has let go of everything
      var _ =
          loop.ask(_ -> {
            held.close();
            return true;
          });
    }
  }
}
