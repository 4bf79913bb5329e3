package org.chunkllama;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.chunkllama.error.ChunkLlamaException;
import org.chunkllama.files.Progress;
import org.chunkllama.guide.GuideCompiler;
import org.chunkllama.model.ModelConfig;
import org.chunkllama.prefix.TreeSnapshot;
import org.chunkllama.schedule.Engine;
import org.chunkllama.schedule.EngineLoop;
import org.chunkllama.schedule.EngineRequest;
import org.chunkllama.schedule.EngineStats;
import org.chunkllama.schedule.Terms;
import org.chunkllama.text.ChatTemplate;
import org.chunkllama.text.IncrementalDetokenizer;
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
  private static final Duration FOR_EVER = Duration.ofDays(365);

  private final EngineLoop loop;
  private final Prompts prompts;
  private final GuideCompiler guides;
  private final PrefixTable prefixes;
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
    this.guides = new GuideCompiler(tokenizer);
    this.prefixes = new PrefixTable(loop, prompts, tokenizer);
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

  /** The same without waiting for the end; blocks while the queue is full. */
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
    makeCancellable(sent, loop.submitAll(sound));
    return generations;
  }

  private StreamedGeneration start(GenerationRequest request, List<EngineRequest> sound) {
    try {
      EngineRequest prepared = prepare(request);
      sound.add(prepared);
      return (StreamedGeneration) prepared.listener();
    } catch (ChunkLlamaException e) {
      StreamedGeneration generation = new StreamedGeneration(new int[0], request.options());
      generation.failed(e);
      return generation;
    }
  }

  /** Encodes a prompt, compiles a guide. */
  private EngineRequest prepare(GenerationRequest request) {
    int[] ids = prompts.encode(request.prompt());
    boolean continued = prompts.isContinued(request.prompt(), ids);
    StreamedGeneration generation = new StreamedGeneration(ids, request.options());
    return new EngineRequest(ids, request.options(), request.salt(), continued, generation)
        .withGuide(request.options().guide().map(guides::compile).orElse(null))
        .withTerms(new Terms(request.tenant(), request.priority(), deadline(request.deadline())));
  }

  private static long deadline(Duration fromNow) {
    boolean none = fromNow.isZero() || fromNow.compareTo(FOR_EVER) > 0;
    return none ? Terms.NO_DEADLINE : System.nanoTime() + fromNow.toNanos();
  }

  private void makeCancellable(List<StreamedGeneration> generations, long[] ids) {
    for (int i = 0; i < ids.length; i++) {
      long id = ids[i];
      generations.get(i).onCancel(() -> loop.cancel(id));
    }
  }

  /** Starts a request if there is room for it now; never blocks. See {@link #trySubmitAll}. */
  public Generation trySubmit(GenerationRequest request) {
    return trySubmitAll(List.of(request)).getFirst();
  }

  /**
   * Starts requests together, or none of them; never blocks.
   *
   * @throws org.chunkllama.error.QueueFullException if they do not all fit into the queue now
   * @throws org.chunkllama.error.TenantLimitException if a tenant has no room for its own
   * @throws org.chunkllama.error.ShuttingDownException after {@link #drain}
   * @throws ChunkLlamaException if they can never be served: more than the queue holds, a prompt
   *     longer than its tenant's share of the pool, bad options, a broken guide
   */
  public List<Generation> trySubmitAll(List<GenerationRequest> requests) {
    checkOpen();
    List<EngineRequest> prepared = new ArrayList<>(requests.size());
    List<StreamedGeneration> generations = new ArrayList<>(requests.size());
    for (GenerationRequest request : requests) {
      EngineRequest one = prepare(request);
      prepared.add(one);
      generations.add((StreamedGeneration) one.listener());
    }
    makeCancellable(generations, loop.trySubmitAll(prepared));
    return List.copyOf(generations);
  }

  /** Limits a tenant's requests from now on. Tenants that were never limited are not. */
  public void limitTenant(String tenant, TenantLimits limits) {
    loop.tenants().limit(tenant, limits.requests(), limits.queuedTokens(), limits.poolShare());
  }

  /**
   * Takes no more requests and waits until those under way have ended; fails what is left at the
   * limit. {@link #close} afterwards.
   *
   * @return true if all ended by themselves
   */
  public boolean drain(Duration limit) {
    checkOpen();
    return loop.drain(limit);
  }

  /** True while new requests are taken: not draining, not closed, not broken. */
  public boolean isAccepting() {
    return loop.isAccepting();
  }

  /** False once closed, or once the engine stopped because of a fault of its own. */
  public boolean isRunning() {
    return loop.isRunning();
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
    return prefix(prompt, PrefixOptions.defaults());
  }

  /** The same for a salt, for a tenant, for a time. */
  public Prefix prefix(Prompt prompt, PrefixOptions options) {
    checkOpen();
    return prefixes.hold(prompt, options);
  }

  /**
   * Begins to compute a prefix if there is room for it now; never blocks. Cancelling the future
   * ends that; what depends on it runs on the engine thread: be brief.
   *
   * @throws org.chunkllama.error.QueueFullException if it does not fit into the queue now
   * @throws org.chunkllama.error.TenantLimitException if its tenant has no room for it now
   * @throws org.chunkllama.error.ShuttingDownException after {@link #drain}
   * @throws org.chunkllama.error.ContextLengthException if its tenant's share never holds it
   */
  public CompletableFuture<Prefix> tryPrefix(Prompt prompt, PrefixOptions options) {
    checkOpen();
    return prefixes.tryHold(prompt, options);
  }

  /** The ids that all prompts share which begin so: of a chat, up to the next user's words. */
  public int[] encodePrefix(Prompt prompt) {
    return prompts.encodePrefix(prompt);
  }

  /** The prefixes that are held now, oldest first. */
  public List<Prefix> prefixes() {
    return prefixes.all();
  }

  /** Lets go of a prefix; false if there is none of this id. */
  public boolean unpin(long id) {
    return prefixes.close(id);
  }

  static <T> T await(CompletableFuture<T> future) {
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

  /** Makes text of the tokens of an answer to {@code prompt}, as the answer's own is made. */
  public IncrementalDetokenizer detokenizer(Prompt prompt) {
    return prompts.isContinued(prompt, prompts.encode(prompt))
        ? IncrementalDetokenizer.continuing(tokenizer)
        : new IncrementalDetokenizer(tokenizer);
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

  /**
   * Shows the prefix tree after every step, on the engine thread: be brief. Ends when the returned
   * handle is closed.
   *
   * @param withTokens with the token ids of its chunks
   */
  public Watch watchTree(boolean withTokens, Consumer<TreeSnapshot> watcher) {
    return loop.watch(engine -> watcher.accept(engine.snapshot(withTokens)))::run;
  }

  /** Somebody who looks on; once closed, from another thread than the engine's, that has ended. */
  public interface Watch extends AutoCloseable {
    @Override
    void close();
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
        s.waiting(),
        s.deadlines(),
        s.chunksTotal(),
        s.chunksFree(),
        s.chunksLive(),
        s.chunksRetained(),
        s.chunksShared(),
        s.chunksShared() == 0 ? 0 : (double) s.sharedRows() / s.chunksShared(),
        (long) (s.chunksUnshared() - s.chunksLive()) * chunkBytes,
        s.prefix().tokensQueried(),
        s.prefix().tokensReused(),
        s.prefix().chunksEvicted(),
        s.planNanos(),
        s.modelNanos(),
        s.outputNanos(),
        s.gapNanos());
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
