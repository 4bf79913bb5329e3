package org.chunkllama.schedule;

import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.chunkllama.error.DeviceLostException;
import org.chunkllama.model.LlamaModel;
import org.chunkllama.model.StepPlan;
import org.chunkllama.plan.AttentionPlanner;
import org.chunkllama.prefix.Pin;
import org.chunkllama.prefix.PrefixTree;
import org.chunkllama.prefix.Sequence;
import org.chunkllama.prefix.TreeSnapshot;
import org.chunkllama.sample.DrawBatch;
import org.chunkllama.sample.Sampler;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.Tensor;
import org.chunkllama.text.Tokenizer;
import org.jspecify.annotations.Nullable;

/**
 * Runs requests together, step by step. {@link #step} is the table of contents.
 *
 * <p><b>Ownership.</b> Tree, pool, sequences and the model's activations belong to the one thread
 * that calls this; {@link EngineLoop} is that thread.
 *
 * <p><b>A step</b> computes one token of every decoding sequence and, with the rows that are left,
 * slices of prompts, lowest rank first, so that a long prompt never stalls running answers. A
 * device that computes by itself is never kept waiting for more than the step's tokens decide: the
 * rest of the next plan, and what listeners hear, are the host's work meanwhile.
 *
 * <p><b>Faults.</b> What one request's options, listener or text cause fails that request. A fault
 * of the model fails the requests of that step. Either way all their chunks come back. Where the
 * backend's device is lost by it, nothing can go on: {@link #step} throws.
 */
public final class Engine {
  private final Backend backend;
  private final LlamaModel model;
  private final KvCache cache;
  private final EngineLimits limits;
  private final PrefixTree tree;
  private final StepPlanner planner;
  private final EngineCounters counters = new EngineCounters();
  private final StepClock clock;
  private final StepBatch batch = new StepBatch();
  private final WaitingQueue waiting = new WaitingQueue();
  private final LiveSet lives;
  private final Admission admission;
  private final Requests requests;
  private final Tenants tenants;
  private final RequestCheck check;
  private final Starts starts;
  private final OutputStage outputs;
  private final @Nullable LookAhead ahead; // where the device computes while the host goes on

  /**
   * An engine with nothing to do. What it is given stays the caller's to close.
   *
   * @param model must allow {@link EngineLimits#rows} rows
   * @param cache all its chunks become the pool
   * @param chunkFirst false: sequence-first attention only
   */
  public Engine(
      Backend backend,
      LlamaModel model,
      KvCache cache,
      Tokenizer tokenizer,
      EngineLimits limits,
      boolean chunkFirst) {
    this.backend = backend;
    this.model = model;
    this.cache = cache;
    this.limits = limits;
    int chunkTokens = cache.layout().chunkTokens();
    tree =
        new PrefixTree(
            cache.chunks(), chunkTokens, cache::copy, System::nanoTime, limits.sharing());
    AttentionPlanner attention =
        new AttentionPlanner(
            chunkTokens,
            backend.parallelism(),
            model.config().heads(),
            model.config().kvHeads(),
            chunkFirst,
            backend.planCosts(cache.layout(), model.config().heads()));
    planner = new StepPlanner(attention, limits.rows());
    tenants = new Tenants(cache.chunks(), chunkTokens);
    lives = new LiveSet(tree);
    admission = new Admission(tree, lives, waiting, limits, counters);
    requests = new Requests(lives, waiting, admission, counters);
    Room room = new Room(tree, lives, waiting, admission, counters);
    int vocabulary = model.config().vocabulary();
    check = new RequestCheck(tree, admission, limits, vocabulary);
    starts = new Starts(tokenizer, limits, vocabulary);
    DrawBatch draws = new DrawBatch(backend, vocabulary);
    boolean queues = backend.queuesSteps();
    outputs =
        new OutputStage(
            tree, lives, room, requests, new Sampler(vocabulary), draws, counters, queues);
    ahead = queues ? new LookAhead(tree, lives, planner, model, cache) : null;
    clock = new StepClock(counters, queues);
  }

  /**
   * Runs one step.
   *
   * @return rows computed; 0 if there was nothing to do
   * @throws DeviceLostException if no later step can succeed
   */
  public int step() {
    clock.begin();
    requests.failLate();
    admission.admit().forEach(refused -> requests.fail(refused.group(), refused.error()));
    nextBatch();
    if (batch.isEmpty()) {
      requests.tellAll();
      clock.idle();
      return 0;
    }
    try {
      StepPlan plan = planner.plan(batch);
      clock.planned();
      Tensor logits = model.forward(plan, cache);
      clock.computed();
      advance();
      outputs.begin(batch, logits, plan.outputs());
      whileDeviceComputes();
      outputs.finish(batch, clock);
    } catch (RuntimeException e) {
      Optional<String> lost = backend.lost();
      if (lost.isPresent()) {
        throw new DeviceLostException(lost.get(), e);
      }
      failBatch(e);
    }
    clock.end(batch, lives.size(), waiting.size(), tree.chunksShared());
    return batch.rows;
  }

  /** What need not wait for the step's tokens, and must not hold up the next step. */
  private void whileDeviceComputes() {
    if (ahead != null) {
      ahead.run();
    }
    requests.tellAll();
  }

  /** Decoding sequences a row each, then slices of prompts by rank, all in the tree's order. */
  private void nextBatch() {
    int budget = Math.max(limits.stepTokens() - lives.decoding(), limits.leastPromptRows());
    for (Live live : lives.prefilling()) {
      live.slice = Math.min(budget, live.missing());
      budget -= live.slice;
    }
    batch.clear();
    for (@Nullable Sequence s = tree.firstInOrder(); s != null; s = s.next()) {
      Live live = LiveSet.of(s);
      if (!live.isPrefill()) {
        live.slice = 1;
      }
      if (live.slice > 0) {
        batch.add(live);
      }
    }
  }

  /** The batch's KV is there now. */
  private void advance() {
    for (Live live : batch.lives) {
      Sequence sequence = live.sequence;
      int from = sequence.computed();
      int to = from + live.slice;
      if (live.isPrefill()) {
        int again = Math.clamp((long) live.counted - from, 0, live.slice);
        counters.recomputedTokens += again;
        counters.promptTokensComputed += live.slice - again;
        admission.changed();
      }
      tree.computed(sequence, to);
      if (to == sequence.length()) {
        lives.promptComputed(live);
      }
    }
  }

  private void failBatch(RuntimeException error) {
    for (Live live : List.copyOf(batch.lives)) {
      for (Continuation continuation : List.copyOf(live.continuations)) {
        requests.fail(continuation.group, error);
      }
    }
  }

  /**
   * Takes a request.
   *
   * @param id unique, rising with arrival
   * @param ticket taken for it from {@link #tenants}
   */
  void submit(long id, EngineRequest request, Ticket ticket) {
    Group group = new Group(id, request, System.nanoTime(), ticket);
    requests.add(group);
    try {
      check.check(request);
      starts.addTo(group);
      enqueue(group);
    } catch (RuntimeException e) {
      requests.fail(group, e);
    }
  }

  /** Computes a prefix and pins it for a time, 0 = until closed; {@code pinned} gets the pin. */
  void hold(long id, EngineRequest request, Ticket ticket, long ttlNanos, Consumer<Pin> pinned) {
    Group group = new Group(id, request, System.nanoTime(), ticket);
    requests.add(group);
    try {
      check.check(request);
      group.continuations.add(new Hold(group, ttlNanos, pinned));
      enqueue(group);
    } catch (RuntimeException e) {
      requests.fail(group, e);
    }
  }

  private void enqueue(Group group) {
    waiting.add(new Entry(group.continuations, 0));
    admission.changed();
  }

  /** Who may take how much. */
  public Tenants tenants() {
    return tenants;
  }

  /** Ends a request that its caller wants no more; nothing happens if it ended already. */
  public void cancel(long id) {
    @Nullable Group group = requests.find(id);
    if (group != null) {
      requests.cancel(group);
    }
  }

  /** Fails all that has not ended. */
  public void failAll(RuntimeException error) {
    for (Group group : requests.all()) {
      try {
        requests.fail(group, error);
      } catch (RuntimeException e) {
        error.addSuppressed(e); // a broken tree must not keep the others from hearing of it
      }
    }
  }

  /** True if no request is open. */
  public boolean isIdle() {
    return requests.isEmpty();
  }

  /**
   * Verifies the tree's invariants, and that with nothing to do no sequence is left.
   *
   * @throws IllegalStateException if one is broken, saying which
   */
  public void check() {
    tree.check();
    if (isIdle() && (tree.sequences() != 0 || lives.size() != 0 || waiting.size() != 0)) {
      throw new IllegalStateException(
          "idle with %d sequences, %d live, %d waiting"
              .formatted(tree.sequences(), lives.size(), waiting.size()));
    }
  }

  /** The tree for drawing. */
  public TreeSnapshot snapshot(boolean withTokens) {
    return tree.snapshot(withTokens);
  }

  /** The figures now. */
  public EngineStats stats() {
    EngineCounters c = counters;
    return new EngineStats(
        c.requests,
        c.promptTokensComputed,
        c.promptTokensReused,
        c.recomputedTokens,
        c.generatedTokens,
        c.steps,
        c.preemptions,
        c.deadlines,
        c.planNanos,
        c.modelNanos,
        c.outputNanos,
        c.gapNanos,
        c.prefillNanos,
        c.decodeNanos,
        c.ttftNanosSum,
        c.ttftCount,
        lives.size(),
        waiting.size(),
        tree.chunksTotal(),
        tree.chunksFree(),
        tree.chunksLive(),
        tree.chunksRetained(),
        tree.chunksShared(),
        tree.sharedRows(),
        tree.chunksLiveUnshared(),
        tree.stats());
  }
}
