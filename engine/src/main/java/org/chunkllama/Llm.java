package org.chunkllama;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.chunkllama.error.ChunkLlamaException;
import org.chunkllama.files.Progress;
import org.chunkllama.model.ModelConfig;
import org.chunkllama.prefix.Pin;
import org.chunkllama.prefix.TreeSnapshot;
import org.chunkllama.sample.FinishReason;
import org.chunkllama.sample.GenerationOptions;
import org.chunkllama.sample.TokenLogprobs;
import org.chunkllama.schedule.Engine;
import org.chunkllama.schedule.EngineLoop;
import org.chunkllama.schedule.EngineRequest;
import org.chunkllama.schedule.EngineStats;
import org.chunkllama.schedule.RequestListener;
import org.chunkllama.text.ChatTemplate;
import org.chunkllama.text.Message;
import org.chunkllama.text.Tokenizer;
import org.jspecify.annotations.Nullable;

/**
 * A loaded model that answers any number of requests together. Thread-safe: requests from any
 * thread are decoded in one batch, and what begins with the same tokens shares memory and work.
 *
 * <pre>{@code
 * try (var llm = Llm.load(Path.of("models/SmolLM2-135M-Instruct"))) {
 *   for (String piece : llm.generate("Name three rivers in France.")) IO.print(piece);
 * }
 * }</pre>
 *
 * <p>A request that cannot be served fails by itself: its {@link Generation} throws, one line that
 * says what to do.
 */
public final class Llm implements AutoCloseable {
  private final EngineLoop loop;
  private final Prompts prompts;
  private final Tokenizer tokenizer;
  private final ModelConfig config;
  private final String name;
  private final int context;
  private final long chunkBytes;
  private final String description;
  private final Deque<AutoCloseable> resources;
  private final AtomicBoolean closed = new AtomicBoolean();

  /** {@code resources}: closed in order of iteration. */
  Llm(
      EngineLoop loop,
      Prompts prompts,
      Tokenizer tokenizer,
      ModelConfig config,
      String name,
      int context,
      long chunkBytes,
      String description,
      Deque<AutoCloseable> resources) {
    this.loop = loop;
    this.prompts = prompts;
    this.tokenizer = tokenizer;
    this.config = config;
    this.name = name;
    this.context = context;
    this.chunkBytes = chunkBytes;
    this.description = description;
    this.resources = resources;
  }

  /** Loads a GGUF file or a Hugging Face folder with default options. */
  public static Llm load(Path model) {
    return load(model, LlmOptions.defaults());
  }

  /** Loads a GGUF file or a Hugging Face folder. */
  public static Llm load(Path model, LlmOptions options) {
    return load(model, options, Progress.NONE);
  }

  /**
   * Loads a GGUF file or a Hugging Face folder, telling how far it has come.
   *
   * @throws ChunkLlamaException if a file is broken, the model unsupported, or memory too small
   */
  public static Llm load(Path model, LlmOptions options, Progress progress) {
    try (LlmLoader loader = new LlmLoader(options, progress)) {
      return loader.load(model);
    }
  }

  /** One user message through the chat template, with default options. */
  public Generation generate(String userMessage) {
    return generate(GenerationRequest.of(userMessage));
  }

  /** Starts a request; returns at once unless the queue is full. */
  public Generation generate(GenerationRequest request) {
    return submitAll(List.of(request)).getFirst();
  }

  /**
   * Runs requests together and waits for all; results in the order of the requests. Identical
   * prompts are computed once.
   *
   * @throws ChunkLlamaException if one failed, after all ended; use {@link #submitAll} to get the
   *     others' results
   */
  public List<GenerationResult> generateAll(List<GenerationRequest> requests) {
    List<Generation> generations = submitAll(requests);
    List<GenerationResult> results = new ArrayList<>(generations.size());
    @Nullable RuntimeException first = null;
    for (Generation generation : generations) {
      try {
        results.add(generation.result());
      } catch (RuntimeException e) {
        first = first == null ? e : first;
      }
    }
    if (first != null) {
      throw first;
    }
    return results;
  }

  /** The same without waiting: all enter the queue at once. */
  public List<Generation> submitAll(List<GenerationRequest> requests) {
    checkOpen();
    List<Generation> generations = new ArrayList<>(requests.size());
    List<EngineRequest> sound = new ArrayList<>(requests.size());
    List<StreamedGeneration> sent = new ArrayList<>(requests.size());
    for (GenerationRequest request : requests) {
      StreamedGeneration generation = start(request, sound);
      generations.add(generation);
      if (!generation.isDone()) {
        sent.add(generation);
      }
    }
    long[] ids = loop.submitAll(sound);
    for (int i = 0; i < ids.length; i++) {
      long id = ids[i];
      sent.get(i).onCancel(() -> loop.cancel(id));
    }
    return generations;
  }

  private StreamedGeneration start(GenerationRequest request, List<EngineRequest> sound) {
    try {
      int[] ids = prompts.encode(request.prompt());
      StreamedGeneration generation = new StreamedGeneration(ids);
      boolean continued = prompts.isContinued(request.prompt(), ids);
      sound.add(
          new EngineRequest(
              ids, request.options(), request.salt(), continued, List.of(), generation));
      return generation;
    } catch (ChunkLlamaException e) {
      StreamedGeneration generation = new StreamedGeneration(new int[0]);
      generation.failed(e);
      return generation;
    }
  }

  /** Computes a system prompt and keeps it warm until closed. */
  public Prefix prefix(String systemPrompt) {
    return prefix(new Prompt.Chat(List.of(Message.system(systemPrompt))));
  }

  /**
   * Computes a prefix, of raw text, tokens or messages, and keeps it warm until closed. Of messages
   * all is kept that comes before the next user's words.
   */
  public Prefix prefix(Prompt prompt) {
    checkOpen();
    int[] ids = prompts.encodePrefix(prompt);
    CompletableFuture<Pin> failed = new CompletableFuture<>();
    EngineRequest request =
        new EngineRequest(
            ids, GenerationOptions.defaults(), "", true, List.of(), new HoldListener(failed));
    CompletableFuture<Pin> held = loop.hold(request);
    Pin pin = await(held.applyToEither(failed, p -> p));
    return new PinnedPrefix(loop, tokenizer, prompt, ids.length, pin);
  }

  /** Passes on a failure; a hold generates nothing. */
  private record HoldListener(CompletableFuture<Pin> failed) implements RequestListener {
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
      failed.completeExceptionally(error);
    }
  }

  private static <T> T await(CompletableFuture<T> future) {
    try {
      return future.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw e;
    }
  }

  /** A chat as the model's template writes it. */
  public String render(Prompt.Chat chat) {
    return prompts.render(chat);
  }

  /** Ids of a prompt as the model will see it. */
  public int[] encode(Prompt prompt) {
    return prompts.encode(prompt);
  }

  public Tokenizer tokenizer() {
    return tokenizer;
  }

  /** The model's chat template; one that refuses to render if there is none. */
  public ChatTemplate chatTemplate() {
    return prompts.template();
  }

  public ModelConfig config() {
    return config;
  }

  /** The model's name as its file states it. */
  public String name() {
    return name;
  }

  /** Longest prompt and answer together, in tokens. */
  public int context() {
    return context;
  }

  /** What runs and why: backend, products, KV type, pool; one line. */
  public String description() {
    return description;
  }

  /**
   * The prefix tree between two steps, for drawing.
   *
   * @param withTokens with the token ids of its chunks
   */
  public TreeSnapshot tree(boolean withTokens) {
    return await(loop.ask(engine -> engine.snapshot(withTokens)));
  }

  /** Figures since loading, taken between two steps. */
  public LlmStats stats() {
    EngineStats s = await(loop.ask(Engine::stats));
    return new LlmStats(
        s.requests(),
        s.promptTokensComputed() + s.promptTokensReused(),
        s.promptTokensComputed(),
        s.promptTokensReused(),
        s.recomputedTokens(),
        s.generatedTokens(),
        s.steps(),
        s.preemptions(),
        s.prefillNanos(),
        s.decodeNanos(),
        s.ttftCount() == 0 ? 0 : s.ttftNanosSum() / s.ttftCount(),
        s.prefix().chunksLivePeak() * chunkBytes,
        s.prefix().chunksLivePeakUnshared() * chunkBytes,
        s.running(),
        s.waiting());
  }

  private void checkOpen() {
    if (closed.get()) {
      throw new IllegalStateException("the model is closed");
    }
  }

  /** Fails what runs, stops the engine thread, frees all memory. Closing again does nothing. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      LlmLoader.closeAll(resources);
    }
  }
}
