package org.chunkllama;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;
import org.chunkllama.prefix.Pin;
import org.chunkllama.sample.FinishReason;
import org.chunkllama.sample.GenerationOptions;
import org.chunkllama.sample.TokenLogprobs;
import org.chunkllama.schedule.EngineLoop;
import org.chunkllama.schedule.EngineRequest;
import org.chunkllama.schedule.RequestListener;
import org.chunkllama.schedule.Terms;
import org.chunkllama.text.Tokenizer;
import org.jspecify.annotations.Nullable;

/** The prefixes that are held. Thread-safe. */
final class PrefixTable {
  private final EngineLoop loop;
  private final Prompts prompts;
  private final Tokenizer tokenizer;
  private final AtomicLong ids = new AtomicLong();
  private final ConcurrentMap<Long, PinnedPrefix> held = new ConcurrentHashMap<>();

  PrefixTable(EngineLoop loop, Prompts prompts, Tokenizer tokenizer) {
    this.loop = loop;
    this.prompts = prompts;
    this.tokenizer = tokenizer;
  }

  /** Computes and pins; waits for that, and for room in the queue. */
  Prefix hold(Prompt prompt, PrefixOptions options) {
    CompletableFuture<Prefix> held = new CompletableFuture<>();
    EngineRequest request = request(prompt, options, held);
    loop.hold(request, nanos(options.ttl()), pin -> pinned(pin, prompt, request, options, held));
    return Llm.await(held);
  }

  /** The same without waiting; cancelling the future ends it. */
  CompletableFuture<Prefix> tryHold(Prompt prompt, PrefixOptions options) {
    CompletableFuture<Prefix> held = new CompletableFuture<>();
    EngineRequest request = request(prompt, options, held);
    long id =
        loop.tryHold(
            request, nanos(options.ttl()), pin -> pinned(pin, prompt, request, options, held));
    var _ =
        held.whenComplete((_, _) -> {
          if (held.isCancelled()) {
            loop.cancel(id);
          }
        });
    return held;
  }

  private EngineRequest request(
      Prompt prompt, PrefixOptions options, CompletableFuture<Prefix> held) {
    return new EngineRequest(
            prompts.encodePrefix(prompt),
            GenerationOptions.defaults(),
            options.salt(),
            true,
            new HoldListener(held))
        .withTerms(new Terms(options.tenant(), 0, Terms.NO_DEADLINE));
  }

  /** On the engine thread. */
  private void pinned(
      Pin pin,
      Prompt prompt,
      EngineRequest request,
      PrefixOptions options,
      CompletableFuture<Prefix> to) {
    PinnedPrefix prefix =
        new PinnedPrefix(
            ids.incrementAndGet(),
            loop,
            tokenizer,
            prompt,
            options,
            request.prompt().length,
            pin,
            closed -> held.remove(closed.id()));
    held.put(prefix.id(), prefix);
    if (!to.complete(prefix)) {
      prefix.close(); // nobody wants it any more
    }
  }

  private static long nanos(Duration ttl) {
    return ttl.compareTo(Duration.ofNanos(Long.MAX_VALUE)) >= 0 ? 0 : ttl.toNanos();
  }

  /** By id. */
  List<Prefix> all() {
    held.values().removeIf(prefix -> !prefix.isHeld());
    List<Prefix> all = new ArrayList<>(held.values());
    all.sort(Comparator.comparingLong(Prefix::id));
    return all;
  }

  /** False if there is none of this id. */
  boolean close(long id) {
    PinnedPrefix prefix = held.get(id);
    boolean open = prefix != null && prefix.isHeld();
    if (prefix != null) {
      prefix.close();
    }
    return open;
  }

  /** Passes on a failure; a hold generates nothing. */
  private record HoldListener(CompletableFuture<Prefix> held) implements RequestListener {
    @Override
    public void admitted(int cachedTokens) {}

    @Override
    public void token(int index, int token, String text, @Nullable TokenLogprobs logprobs) {}

    @Override
    public void finished(
        int index, String rest, FinishReason reason, String stoppedBy, double score) {}

    @Override
    public void done() {}

    @Override
    public void failed(RuntimeException error) {
      held.completeExceptionally(error);
    }
  }
}
