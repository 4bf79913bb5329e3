package org.chunkllama.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.chunkllama.model.LlamaModel;
import org.chunkllama.sample.GenerationOptions;
import org.chunkllama.sample.LogitsProcessor;
import org.chunkllama.spi.Backend;
import org.chunkllama.spi.BackendOptions;
import org.chunkllama.spi.Backends;
import org.chunkllama.spi.DType;
import org.chunkllama.spi.KvCache;
import org.chunkllama.spi.KvLayout;
import org.chunkllama.text.Tokenizer;

/** An engine over {@link TinyModel} on the reference backend, stepped by hand. */
final class EngineFixture implements AutoCloseable {
  static final int CHUNK = 16;

  final Backend backend;
  final Engine engine;
  private final LlamaModel model;
  private final KvCache cache;
  private long ids;

  EngineFixture(int chunks, EngineLimits limits, Tokenizer tokenizer) {
    this(chunks, limits, tokenizer, reference());
  }

  static Backend reference() {
    return Backends.open("reference", BackendOptions.defaults());
  }

  EngineFixture(int chunks, EngineLimits limits, Tokenizer tokenizer, Backend backend) {
    this.backend = backend;
    model =
        LlamaModel.load(
            backend,
            TinyModel.CONFIG,
            new TinyModel(),
            limits.rows(),
            limits.context(),
            (_, _) -> {});
    cache = backend.kvCache(new KvLayout(2, 2, 8, CHUNK, DType.F32), chunks);
    engine = new Engine(backend, model, cache, tokenizer, limits, true);
  }

  EngineFixture(int chunks, EngineLimits limits) {
    this(chunks, limits, new LetterTokenizer(64, List.of()));
  }

  /** A roomy one: 400 chunks, steps of 64 rows, no end-of-sequence token. */
  EngineFixture() {
    this(400, limits(64));
  }

  static EngineLimits limits(int stepTokens) {
    return new EngineLimits(256, stepTokens, 64, true);
  }

  static int[] prompt(int seed, int length) {
    return new Random(seed).ints(length, 0, 64).toArray();
  }

  static int[] join(int[] head, int[] tail) {
    int[] all = java.util.Arrays.copyOf(head, head.length + tail.length);
    System.arraycopy(tail, 0, all, head.length, tail.length);
    return all;
  }

  static GenerationOptions options(int maxTokens) {
    return GenerationOptions.defaults().withMaxTokens(maxTokens);
  }

  Recorder submit(int[] prompt, GenerationOptions options) {
    return submit(prompt, options, "", new Recorder());
  }

  Recorder submit(int[] prompt, GenerationOptions options, String salt, Recorder recorder) {
    return submit(prompt, options, salt, recorder, List.of());
  }

  Recorder submit(
      int[] prompt,
      GenerationOptions options,
      String salt,
      Recorder recorder,
      List<LogitsProcessor> processors) {
    send(new EngineRequest(prompt, options, salt, true, recorder).withProcessors(processors));
    return recorder;
  }

  /** Sends a request; its id. */
  long send(EngineRequest request) {
    engine.submit(ids, request, Ticket.take(engine.tenants(), request, () -> {}));
    return ids++;
  }

  long lastId() {
    return ids - 1;
  }

  /** Steps until nothing is left to do, checking the invariants after each step. */
  void run() {
    for (int steps = 0; !engine.isIdle(); steps++) {
      engine.step();
      engine.check();
      assertThat(steps).as("steps until all ended").isLessThan(20_000);
    }
    assertPoolWhole();
  }

  /** Steps {@code n} times. */
  void step(int n) {
    for (int i = 0; i < n; i++) {
      engine.step();
      engine.check();
    }
  }

  void assertPoolWhole() {
    EngineStats stats = engine.stats();
    assertThat(stats.chunksLive()).isZero();
    assertThat(stats.chunksFree() + stats.chunksRetained()).isEqualTo(stats.chunksTotal());
  }

  /** Greedy tokens of each prompt, each run by an engine of its own. */
  static List<List<Integer>> alone(List<int[]> prompts, GenerationOptions options) {
    List<List<Integer>> all = new ArrayList<>();
    for (int[] prompt : prompts) {
      try (EngineFixture fixture = new EngineFixture()) {
        Recorder recorder = fixture.submit(prompt, options);
        fixture.run();
        all.add(recorder.tokens());
      }
    }
    return all;
  }

  @Override
  public void close() {
    cache.close();
    model.close();
    backend.close();
  }
}
